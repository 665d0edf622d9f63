package io.loomstream.app.config;

import java.util.ArrayList;
import java.util.List;

/** What is wrong with one file: makes its errors, collects its warnings. One thread. */
final class Problems {
    private final String file;
    private final List<String> warnings = new ArrayList<>();

    Problems(String file) {
        this.file = file;
    }

    /** An error to be thrown; line 0 stands for the file as a whole. */
    ConfigException error(int line, String message) {
        return new ConfigException(placed(line, message));
    }

    void warn(int line, String message) {
        warnings.add(placed(line, message));
    }

    List<String> warnings() {
        return List.copyOf(warnings);
    }

    private String placed(int line, String message) {
        return message + (line > 0 ? " at " + file + ":" + line : " in " + file);
    }
}
