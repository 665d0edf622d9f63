package io.loomstream.engine.testing.s3;

import java.io.IOException;
import java.nio.file.Path;

/**
 * The S3 server in a process of its own. Prints {@code port=N} when it serves, and ends when its standard input does, so it
 * never outlives who started it. Arguments: a directory for the objects; none keeps them in memory.
 */
public final class S3ServerMain {
    private S3ServerMain() {}

    public static void main(String[] arguments) throws Exception {
        try (S3Server server = arguments.length == 0 ? S3Server.inMemory() : S3Server.in(Path.of(arguments[0]))) {
            System.out.println("port=" + server.port());
            waitForEnd();
        }
    }

    private static void waitForEnd() throws IOException {
        while (System.in.read() >= 0) {}
    }
}
