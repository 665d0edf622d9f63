package io.loomstream.perf.writer;

import java.nio.file.Path;

/** Which habit writes to which database. */
public record Assignment(Habit habit, Path database) {
    String argument() {
        return habit + "=" + database;
    }

    static Assignment parse(String argument) {
        int equals = argument.indexOf('=');
        return new Assignment(Habit.valueOf(argument.substring(0, equals)), Path.of(argument.substring(equals + 1)));
    }
}
