package io.loomstream.perf.s3;

import io.loomstream.engine.replica.s3.S3HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * What do 200 concurrent uploads of 50 MB cost in memory? The same process first puts small files at the same concurrency;
 * the difference of its resident memory is the answer, at most 64 MB. One JSON line for each HTTP client.
 *
 * <p>Run: {@code scripts/perf-java.sh io.loomstream.perf.s3.S3UploadMemory [UPLOADS [MEGABYTES]]}. The server forgets the
 * bytes, so that 10 GB need no disk.
 */
public final class S3UploadMemory {
    private static final int PERMITS = 200;
    private static final int SMALL_FILES = 2_000;

    private S3UploadMemory() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 4) {
            client(arguments);
            return;
        }
        String uploads = arguments.length > 0 ? arguments[0] : "200";
        String megabytes = arguments.length > 1 ? arguments[1] : "50";
        for (S3HttpClient http : S3HttpClient.values()) {
            try (S3Sink sink = new S3Sink();
                    JavaProcess client = JavaProcess.start(
                            JavaProcess.SERVER_FLAGS,
                            S3UploadMemory.class,
                            Integer.toString(sink.port()),
                            http.toString(),
                            uploads,
                            megabytes)) {
                System.out.println(client.value("result"));
                System.out.printf(Locale.ROOT, "the server received %.1f MB%n", sink.receivedBytes() / 1e6);
            }
        }
    }

    private static void client(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        S3HttpClient http = S3HttpClient.parse(arguments[1]);
        int uploads = Integer.parseInt(arguments[2]);
        int megabytes = Integer.parseInt(arguments[3]);
        Path directory = Files.createTempDirectory("s3-memory");
        Path small = UploadClient.sample(directory, 4_000);
        Path large = UploadClient.sample(directory, megabytes * 1_000_000L);
        try (UploadClient client = new UploadClient(port, http, PERMITS)) {
            client.upload(small, 0, SMALL_FILES);
            long before = Proc.rssBytes();
            long peakBefore = Proc.peakRssBytes();
            long start = System.nanoTime();
            client.upload(large, SMALL_FILES, uploads);
            double seconds = (System.nanoTime() - start) / 1e9;
            System.out.printf(
                    Locale.ROOT,
                    "result={\"client\":\"%s\",\"uploads\":%d,\"megabytes\":%d,\"rss_before_mb\":%.1f,"
                            + "\"peak_before_mb\":%.1f,\"peak_mb\":%.1f,\"more_mb\":%.1f,\"mb_per_s\":%.0f,\"jdk\":\"%s\"}%n",
                    http,
                    uploads,
                    megabytes,
                    before / 1e6,
                    peakBefore / 1e6,
                    Proc.peakRssBytes() / 1e6,
                    (Proc.peakRssBytes() - before) / 1e6,
                    uploads * megabytes / seconds,
                    Runtime.version());
        } finally {
            Files.deleteIfExists(small);
            Files.deleteIfExists(large);
            Files.deleteIfExists(directory);
        }
    }
}
