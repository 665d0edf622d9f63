package io.loomstream.engine.restore;

import io.loomstream.engine.replica.FileAccess;
import java.io.IOException;
import java.nio.file.Path;

/**
 * One restore.
 *
 * @param output the database file to make
 * @param check what SQLite is asked about the file before it gets its name
 * @param existing what to do about files that are in the way
 * @param access mode and owner of the file when it replaces none; a replaced file's own stay
 * @param preparation what is done to the complete file before it gets its name
 */
public record RestoreRequest(
        Path output,
        Target target,
        IntegrityCheck check,
        Existing existing,
        FileAccess.Grant access,
        Preparation preparation) {
    /** The newest point, into a place that must be free, readable by the owner only, unchecked by SQLite. */
    public static RestoreRequest latest(Path output) {
        return new RestoreRequest(
                output,
                new Target.Latest(),
                IntegrityCheck.NONE,
                Existing.REFUSE,
                FileAccess.PRIVATE.files(),
                (plan, image) -> {});
    }

    public RestoreRequest to(Target point) {
        return new RestoreRequest(output, point, check, existing, access, preparation);
    }

    public RestoreRequest checked(IntegrityCheck how) {
        return new RestoreRequest(output, target, how, existing, access, preparation);
    }

    public RestoreRequest onExisting(Existing what) {
        return new RestoreRequest(output, target, check, what, access, preparation);
    }

    public RestoreRequest preparedBy(Preparation what) {
        return new RestoreRequest(output, target, check, existing, access, what);
    }

    /** Changes a restored file that nobody else has seen yet; it is made durable afterwards. */
    @FunctionalInterface
    public interface Preparation {
        /**
         * Does it.
         *
         * @param image the complete file under a temporary name
         */
        void prepare(RestorePlan plan, Path image) throws IOException;
    }

    /** What to do when the output is there already. */
    public enum Existing {
        /** An error; an empty file is no database and may be replaced. */
        REFUSE,
        /** Nothing to do: the outcome says so, whatever has the name. */
        KEEP,
        /** Replace it, once the new file is complete. */
        REPLACE
    }
}
