package io.loomstream.engine.error;

import org.jspecify.annotations.Nullable;

/** Bytes that are not what their format says. Names the source and the offset of the first bad byte or field. */
public final class CorruptDataException extends EngineException {
    private static final long serialVersionUID = 1L;

    private final String source;
    private final long offset;

    /**
     * One bad field of one source.
     *
     * @param source what was read: a file name, a path or an object key
     * @param offset bytes from the start of the source to the bad field
     */
    public CorruptDataException(String source, long offset, String problem) {
        this(source, offset, problem, null);
    }

    public CorruptDataException(String source, long offset, String problem, @Nullable Throwable cause) {
        super(source + ": " + problem + " (at byte " + offset + ")", cause);
        this.source = source;
        this.offset = offset;
    }

    public String source() {
        return source;
    }

    public long offset() {
        return offset;
    }

    @Override
    public boolean retryable() {
        return false;
    }
}
