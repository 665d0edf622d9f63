package io.loomstream.app.config;

import io.loomstream.engine.replica.s3.S3Settings;
import java.nio.file.Path;

/** Where a database's LTX files go. No text of it holds a credential. */
public sealed interface ReplicaConfig {
    /** The replica type as tables and JSON name it. */
    String type();

    /** Where it is, for people. */
    String place();

    /** A directory. */
    record Directory(Path directory) implements ReplicaConfig {
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
        public String type() {
            return "s3";
        }

        @Override
        public String place() {
            return settings.location().toString();
        }
    }
}
