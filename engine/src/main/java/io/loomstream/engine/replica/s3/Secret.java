package io.loomstream.engine.replica.s3;

/** Something that must never be printed; {@link #toString()} gives a mask of fixed length. */
public record Secret(String value) {
    public static final String MASK = "********";

    public Secret {
        if (value.isEmpty()) {
            throw new IllegalArgumentException("a secret is not empty");
        }
    }

    @Override
    public String toString() {
        return MASK;
    }
}
