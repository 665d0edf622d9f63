package io.loomstream.app.logging;

/** Turns a line into text, which never contains a line break or another control character. */
interface LineFormat {
    String format(Line line);
}
