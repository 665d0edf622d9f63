package io.loomstream.engine.replica.s3;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaTree;
import io.loomstream.engine.replica.RootStore;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.model.EncodingType;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * The replicas below a prefix, found by listing every key of it: one request for a thousand files. The listing with a
 * delimiter would take one for each replica, and most replicas have a handful of files.
 *
 * <p>Keys come in order of their bytes, so a replica's come together, but for those of replicas below it: it is enough to
 * remember the replicas whose keys may still come, which are those above the current one.
 */
final class S3ReplicaTree implements ReplicaTree {
    private static final Pattern FILE = Pattern.compile("(.*/|)([0-9a-f]{4})/([^/]*)", Pattern.DOTALL);

    private final S3Settings settings;
    private final S3Bucket bucket;
    private final String probeName;
    private final String path;

    S3ReplicaTree(S3Settings settings, S3Bucket bucket, String probeName) {
        this.settings = settings;
        this.bucket = bucket;
        this.probeName = probeName;
        this.path = settings.location().path();
    }

    @Override
    public String describe() {
        return settings.location().toString();
    }

    @Override
    public ReplicaClient replica(String below) {
        String whole = path.isEmpty() || below.isEmpty() ? path + below : path + "/" + below;
        return at(whole);
    }

    private ReplicaClient at(String written) {
        return new S3ReplicaClient(settings.at(written), bucket, probeName);
    }

    /** What the keys of an LTX file begin with, its level and name taken away; empty when the key is not one's. */
    static Optional<String> rootOf(String key) {
        Matcher file = FILE.matcher(key);
        boolean ltx = file.matches()
                && Integer.parseInt(file.group(2), 16) <= Level.SNAPSHOT.number()
                && TxidRange.parseFileName(file.group(3)).isPresent();
        return ltx ? Optional.of(file.group(1)) : Optional.empty();
    }

    @Override
    public void forEach(Visitor visitor) throws InterruptedException {
        String prefix = path.isEmpty() ? "" : path + "/";
        Deque<String> above = new ArrayDeque<>();
        try {
            @Nullable String token = null;
            do {
                ListObjectsV2Request request = ListObjectsV2Request.builder()
                        .bucket(bucket.name())
                        .prefix(prefix)
                        .encodingType(EncodingType.URL)
                        .continuationToken(token)
                        .build();
                ListObjectsV2Response page = bucket.endpoint()
                        .call(S3Operation.LIST, 0, (client, progress) -> client.listObjectsV2(request));
                for (S3Object object : page.contents()) {
                    Optional<String> root = rootOf(object.key());
                    // A shorter root: the place itself is called like a level.
                    if (root.isPresent() && root.get().length() >= prefix.length()) {
                        visit(root.get(), prefix, object.key(), above, visitor);
                    }
                }
                boolean more = Boolean.TRUE.equals(page.isTruncated());
                token = more ? page.nextContinuationToken() : null;
                if (more && token == null) {
                    // Ending here would hide databases from whoever restores all of them.
                    throw new S3Failure(
                            S3Failure.Kind.TRANSIENT, "BadListing", "a page says that more follow but not where", null);
                }
            } while (token != null);
        } catch (S3Failure failure) {
            throw failure.toEngine("cannot list " + describe());
        }
    }

    private void visit(String root, String prefix, String key, Deque<String> above, Visitor visitor)
            throws InterruptedException {
        while (!above.isEmpty() && !key.startsWith(above.peek())) {
            above.pop();
        }
        // Litestream's forms of a root: "app//0000/..." for a path that was written with a slash at its end.
        String trimmed = root.endsWith("//") ? root.substring(0, root.length() - 1) : root;
        if (above.contains(trimmed)) {
            return;
        }
        above.push(trimmed);
        String below = trimmed.equals("/") || trimmed.equals("./") ? "" : trimmed.substring(prefix.length());
        String name = below.isEmpty() ? "" : below.substring(0, below.length() - 1);
        if (name.equals(RootStore.DIRECTORY) || name.startsWith(RootStore.DIRECTORY + "/")) {
            return;
        }
        String problem = name.isEmpty() ? "" : ReplicaTree.problemOf(name);
        if (!problem.isEmpty()) {
            visitor.refused(key, problem);
            return;
        }
        visitor.found(name, at(root.isEmpty() ? "" : root.substring(0, root.length() - 1)));
    }
}
