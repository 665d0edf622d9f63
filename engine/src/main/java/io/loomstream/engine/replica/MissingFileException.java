package io.loomstream.engine.replica;

import java.io.FileNotFoundException;

/** A file that the caller knew by name is not in the replica any more. */
public final class MissingFileException extends FileNotFoundException {
    private static final long serialVersionUID = 1L;

    public MissingFileException(String where) {
        super(where + ": no such LTX file");
    }
}
