package io.loomstream.engine.restore;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.replica.ReplicaClient;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** One replica that Litestream made, with what its own restore gives for every target. */
public record Fixture(String name, Path replica, List<Expectation> expectations) {
    /** The file replicas under the test resources. */
    public static final List<String> NAMES = List.of(
            "l0-only",
            "single-page",
            "page-size-512",
            "page-size-1024",
            "page-size-2048",
            "page-size-8192",
            "page-size-16384",
            "page-size-32768",
            "page-size-65536",
            "large-page-count",
            "vacuum",
            "checkpoints",
            "resnapshot",
            "levels",
            "missing-middle",
            "junk-names");

    private static final Pattern EXPECTATION =
            Pattern.compile("\"(latest|[0-9a-f]{16}|[0-9-]{10}T[0-9:.]+Z)\": \\{\\s*\"(sha256|error)\": \"([^\"]*)\"");

    /**
     * What one restore gives.
     *
     * @param sha256 of the restored file; empty when Litestream refuses
     */
    public record Expectation(String fixture, Target target, String sha256) {
        boolean refused() {
            return sha256.isEmpty();
        }

        @Override
        public String toString() {
            return fixture + " " + target;
        }
    }

    /** Copies a fixture, with the file times that git does not keep. */
    public static Fixture copy(String name, Path into) throws IOException {
        Path original = original(name);
        Path replica = into.resolve(name);
        try (Stream<Path> files = Files.walk(original.resolve("replica"))) {
            for (Path file : files.toList()) {
                Path target = replica.resolve(
                        original.resolve("replica").relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target);
                    takeTimeFromHeader(target);
                }
            }
        }
        return new Fixture(name, replica, expectations(name));
    }

    static List<Expectation> expectations(String name) throws IOException {
        String json = Files.readString(original(name).resolve("expect.json"));
        List<Expectation> found = new ArrayList<>();
        Matcher matcher = EXPECTATION.matcher(json.substring(json.indexOf("\"restore\"")));
        while (matcher.find()) {
            String sha256 = matcher.group(2).equals("error") ? "" : matcher.group(3);
            found.add(new Expectation(name, target(matcher.group(1)), sha256));
        }
        return found;
    }

    public ReplicaClient client() {
        return new FileReplicaClient(replica, FileAccess.PRIVATE);
    }

    private static Target target(String key) {
        if (key.equals("latest")) {
            return new Target.Latest();
        }
        return key.endsWith("Z") ? new Target.Before(Instant.parse(key)) : new Target.AtTxid(Txid.parse(key));
    }

    private static void takeTimeFromHeader(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        if (bytes.length >= 100) {
            Files.setLastModifiedTime(
                    file, FileTime.fromMillis(ByteBuffer.wrap(bytes).getLong(32)));
        }
    }

    private static Path original(String name) {
        try {
            return Path.of(Fixture.class.getResource("/fixtures/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
