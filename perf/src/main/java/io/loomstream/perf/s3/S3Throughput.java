package io.loomstream.perf.s3;

import io.loomstream.engine.replica.s3.S3HttpClient;
import io.loomstream.engine.testing.s3.S3ServerMain;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;

/**
 * Which HTTP client carries uploads better? Files of 4 KB are put into S3Proxy, which runs in a process of its own, by a
 * fresh process for each client and number of permits, with the server's JVM flags. One JSON line each: puts a second,
 * resident memory, connections opened.
 *
 * <p>Run: {@code scripts/perf-java.sh io.loomstream.perf.s3.S3Throughput}; with {@code -Ds3perf.pinning=true} it counts
 * instead how often a carrier thread was pinned for over a millisecond, and {@code -Ds3perf.java=} measures another JDK.
 * Takes a minute or two. Not measured: TLS, a network.
 */
public final class S3Throughput {
    private static final int[] PERMITS = {1, 50, 200};
    private static final int FILE_BYTES = 4_000;
    private static final int WARM_UP = 300;

    private S3Throughput() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0) {
            client(arguments);
            return;
        }
        boolean pinning = Boolean.getBoolean("s3perf.pinning");
        for (S3HttpClient http : S3HttpClient.values()) {
            for (int permits : PERMITS) {
                try (JavaProcess server = JavaProcess.start(List.of("-Xmx1g"), S3ServerMain.class)) {
                    String port = server.value("port");
                    try (JavaProcess client = JavaProcess.start(
                            JavaProcess.SERVER_FLAGS,
                            S3Throughput.class,
                            port,
                            http.toString(),
                            Integer.toString(permits),
                            Boolean.toString(pinning))) {
                        System.out.println(client.value("result"));
                    }
                }
            }
        }
    }

    private static void client(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        S3HttpClient http = S3HttpClient.parse(arguments[1]);
        int permits = Integer.parseInt(arguments[2]);
        boolean pinning = Boolean.parseBoolean(arguments[3]);
        int puts = permits == 1 ? 1_000 : 5_000;
        Path directory = Files.createTempDirectory("s3-throughput");
        Path file = UploadClient.sample(directory, FILE_BYTES);
        try (UploadClient client = new UploadClient(port, http, permits);
                Recording recording = new Recording()) {
            client.upload(file, 0, WARM_UP);
            if (pinning) {
                recording.enable("jdk.VirtualThreadPinned").withThreshold(java.time.Duration.ofMillis(1));
                recording.start();
            }
            long start = System.nanoTime();
            client.upload(file, WARM_UP, puts);
            double seconds = (System.nanoTime() - start) / (double) TimeUnit.SECONDS.toNanos(1);
            String pinned = pinning ? ",\"pinned\":" + pinnedEvents(recording, directory) : "";
            System.out.printf(
                    Locale.ROOT,
                    "result={\"client\":\"%s\",\"permits\":%d,\"puts\":%d,\"puts_per_s\":%.0f,\"rss_mb\":%.1f,"
                            + "\"connections\":%d%s,\"jdk\":\"%s\"}%n",
                    http,
                    permits,
                    puts,
                    puts / seconds,
                    Proc.rssBytes() / 1e6,
                    Proc.connectionsTo(port),
                    pinned,
                    Runtime.version());
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(directory);
        }
    }

    private static long pinnedEvents(Recording recording, Path directory) throws IOException {
        Path dump = directory.resolve("pinned.jfr");
        try {
            recording.stop();
            recording.dump(dump);
            return RecordingFile.readAllEvents(dump).size();
        } finally {
            Files.deleteIfExists(dump);
        }
    }
}
