package io.loomstream.app.config;

import io.loomstream.engine.replica.s3.S3Location;
import io.loomstream.engine.replica.s3.S3Settings;
import java.nio.file.Path;

/** Where a database's LTX files go. No text of it holds a credential. */
public sealed interface ReplicaConfig {
    /** The replica type as tables and JSON name it. */
    String type();

    /** Where it is, for people. */
    String place();

    /** The path in the store, as it was written. */
    String path();

    /** Another path in the same store. */
    ReplicaConfig at(String path);

    /** What lies below this place, under a relative path without "." and "..". */
    ReplicaConfig below(String relative);

    /** A directory. */
    record Directory(Path directory) implements ReplicaConfig {
        @Override
        public String path() {
            return directory.toString();
        }

        @Override
        public Directory at(String path) {
            return new Directory(Path.of(path));
        }

        @Override
        public Directory below(String relative) {
            return new Directory(directory.resolve(relative));
        }

        @Override
        public String type() {
            return "file";
        }

        @Override
        public String place() {
            return directory.toString();
        }
    }

    /** A bucket, or a part of one, of a store that speaks the S3 protocol. */
    record S3(S3Settings settings) implements ReplicaConfig {
        @Override
        public String path() {
            return settings.location().written();
        }

        @Override
        public S3 at(String path) {
            return new S3(new S3Settings(
                    new S3Location(settings.location().bucket(), path),
                    settings.connection(),
                    settings.credentials(),
                    settings.transfer(),
                    settings.encryption()));
        }

        /** Litestream joins and cleans, and keeps a leading slash. */
        @Override
        public S3 below(String relative) {
            String clean = settings.location().path();
            String root = path().startsWith("/") ? "/" : "";
            return at(root + (clean.isEmpty() ? "" : clean + "/") + relative);
        }

        @Override
        public String type() {
            return "s3";
        }

        @Override
        public String place() {
            return settings.location().toString();
        }
    }
}
