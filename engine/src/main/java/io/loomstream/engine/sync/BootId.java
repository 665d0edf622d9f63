package io.loomstream.engine.sync;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Which start of the machine this is: after another one, what was written without a sync may be gone, also from the files
 * of other programs.
 */
public record BootId(long high, long low) {
    private static final Path SOURCE = Path.of("/proc/sys/kernel/random/boot_id");

    /** The kernel's boot id; where there is none, an id that is never equal to a stored one. */
    static BootId current() {
        try {
            UUID id = UUID.fromString(Files.readString(SOURCE).trim());
            return new BootId(id.getMostSignificantBits(), id.getLeastSignificantBits());
        } catch (IOException | IllegalArgumentException unknown) {
            UUID id = UUID.randomUUID();
            return new BootId(id.getMostSignificantBits(), id.getLeastSignificantBits());
        }
    }
}
