package io.loomstream.engine.replica.s3;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.TxidRange;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedSet;

/**
 * The keys of one replica: {@code <path>/<level as 4 hex digits>/<min>-<max>.ltx}, as Litestream writes them.
 *
 * <p>At a bucket's root Litestream writes {@code /0000/...} or, for the URL {@code s3://bucket}, {@code ./0000/...}, and with
 * {@code path: /app/} in YAML {@code /app//0000/...}. What is there under such keys is found, and a replica that began so goes
 * on so; a new one gets the key that one expects, {@code 0000/...} or {@code app/0000/...}.
 */
final class S3Keys {
    private static final List<String> AT_ROOT = List.of("", "/", "./");

    private final String path;
    private final List<String> roots;

    S3Keys(S3Location location) {
        this.path = location.path();
        SequencedSet<String> all = new LinkedHashSet<>(path.isEmpty() ? AT_ROOT : List.of(path + "/"));
        all.add(location.written() + "/");
        this.roots = List.copyOf(all);
    }

    /** What the keys may begin with; the first is what a new replica's begin with. */
    List<String> roots() {
        return roots;
    }

    /** What the keys of all levels begin with. */
    static String levels(String root) {
        return root + "000";
    }

    static String prefix(String root, Level level) {
        return root + String.format(Locale.ROOT, "%04x", level.number()) + "/";
    }

    static String key(String root, Level level, TxidRange range) {
        return prefix(root, level) + range.fileName();
    }

    /** The range of a listed key; empty for what is not a file of this level, such as a nested replica's. */
    static Optional<TxidRange> parse(String key, String prefix) {
        return key.startsWith(prefix) ? TxidRange.parseFileName(key.substring(prefix.length())) : Optional.empty();
    }

    /** An object of our own beside the files. */
    String own(String name) {
        return (path.isEmpty() ? "" : path + "/") + "_loomstream/" + name;
    }
}
