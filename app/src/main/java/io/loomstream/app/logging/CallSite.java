package io.loomstream.app.logging;

import java.lang.StackWalker.StackFrame;

/** Finds the code that logs. Walks the stack, so only where the configuration asks for it. */
final class CallSite {
    private CallSite() {}

    /** {@code File.java:12} of the first frame that is neither SLF4J's nor ours. */
    static String find() {
        return StackWalker.getInstance()
                .walk(frames -> frames.filter(frame -> !isLogging(frame))
                        .findFirst()
                        .map(frame -> frame.getFileName() + ":" + frame.getLineNumber())
                        .orElse(""));
    }

    private static boolean isLogging(StackFrame frame) {
        String name = frame.getClassName();
        return name.startsWith("org.slf4j.")
                || name.equals(CallSite.class.getName())
                || name.equals(Loggers.class.getName())
                || name.equals(LineLogger.class.getName());
    }
}
