package io.loomstream.engine.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * An application that uses SQLite in a process of its own: python3 with its own SQLite library, driven a statement at a
 * time. One command at a time; {@link #execAsync} for statements that block.
 */
public final class AppProcess implements AutoCloseable {
    private static final String COLUMN = "\u001f";
    private static final String ROW = "\u001e";

    private final Process process;
    private final Writer commands;
    private final BufferedReader answers;

    private AppProcess(Process process) {
        this.process = process;
        this.commands = process.outputWriter(StandardCharsets.UTF_8);
        this.answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** Starts the process. */
    public static AppProcess start() {
        try (InputStream source = AppProcess.class.getResourceAsStream("app.py")) {
            if (source == null) {
                throw new IllegalStateException("app.py is not on the class path");
            }
            String script = new String(source.readAllBytes(), StandardCharsets.UTF_8);
            // Not a file: one would be left behind where this process is killed.
            Process process = new ProcessBuilder("python3", "-c", script)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            return new AppProcess(process);
        } catch (IOException e) {
            throw new UncheckedIOException("these tests need python3 with its sqlite3 module", e);
        }
    }

    /** Opens a connection that never waits for locks. */
    public AppProcess open(String connection, Path database) {
        return open(connection, database, 0);
    }

    /** Opens a connection that waits for locks up to a number of seconds. */
    public AppProcess open(String connection, Path database, double busySeconds) {
        orFail(send("open", connection, database + COLUMN + busySeconds));
        return this;
    }

    /** Runs a statement that must succeed. */
    public AppProcess exec(String connection, String sql) {
        orFail(send("exec", connection, sql));
        return this;
    }

    /** Runs a statement; the error's text, or empty when it succeeded. */
    public Optional<String> tryExec(String connection, String sql) {
        Answer answer = send("exec", connection, sql);
        return answer.ok ? Optional.empty() : Optional.of(answer.text);
    }

    /** Runs a statement over and over, pausing after each, in a thread of its own. */
    public CompletableFuture<Void> repeatAsync(String connection, int times, double pauseSeconds, String sql) {
        return CompletableFuture.runAsync(
                () -> orFail(send("repeat", connection, times + COLUMN + pauseSeconds + COLUMN + sql)));
    }

    /** Runs a statement that may block, in a thread of its own. */
    public CompletableFuture<Optional<String>> execAsync(String connection, String sql) {
        return CompletableFuture.supplyAsync(() -> tryExec(connection, sql));
    }

    /** The rows of a query, all columns as text. */
    public List<List<String>> query(String connection, String sql) {
        String text = orFail(send("query", connection, sql));
        List<List<String>> rows = new ArrayList<>();
        if (!text.isEmpty()) {
            for (String row : text.split(ROW, -1)) {
                rows.add(List.of(row.split(COLUMN, -1)));
            }
        }
        return rows;
    }

    /** The first column of the first row. */
    public String value(String connection, String sql) {
        return query(connection, sql).getFirst().getFirst();
    }

    /** Closes one connection. */
    public AppProcess close(String connection) {
        orFail(send("close", connection, ""));
        return this;
    }

    /** SIGKILL. */
    public void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    private record Answer(boolean ok, String text) {}

    private synchronized Answer send(String operation, String connection, String argument) {
        try {
            String encoded = Base64.getEncoder().encodeToString(argument.getBytes(StandardCharsets.UTF_8));
            commands.write(operation + "\t" + connection + "\t" + encoded + "\n");
            commands.flush();
            String line = answers.readLine();
            if (line == null) {
                throw new IllegalStateException("the application process ended during: " + operation + " " + argument);
            }
            int tab = line.indexOf('\t');
            String text = new String(Base64.getDecoder().decode(line.substring(tab + 1)), StandardCharsets.UTF_8);
            return new Answer(line.substring(0, tab).equals("ok"), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String orFail(Answer answer) {
        if (!answer.ok) {
            throw new AssertionError("the application got " + answer.text);
        }
        return answer.text;
    }

    /** Ends the process as an application ends: its connections close. */
    @Override
    public void close() throws IOException {
        try {
            if (process.isAlive()) {
                commands.close();
                if (!process.waitFor(10, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
