package io.loomstream.engine.fleet;

import java.util.ArrayList;
import java.util.List;

/** Writes down what the scanner tells, as lines of text. */
class ScanRecorder implements ScanListener {
    private final PathTable table;
    private final List<String> told = new ArrayList<>();

    ScanRecorder(PathTable table) {
        this.table = table;
    }

    /** What was told since the last time, sorted. */
    synchronized List<String> take() {
        List<String> all = told.stream().sorted().toList();
        told.clear();
        return all;
    }

    private synchronized void tell(String event, byte[] path, String more) {
        String name = PathText.of(path);
        told.add(event + " " + name.substring(name.lastIndexOf('/') + 1) + more);
    }

    @Override
    public void appeared(int row) {
        tell("appeared", table.pathBytes(row), "");
    }

    @Override
    public void written(int row, boolean replaced) {
        tell(replaced ? "replaced" : "written", table.pathBytes(row), "");
    }

    @Override
    public void gone(int row) {
        tell("gone", table.pathBytes(row), "");
    }

    @Override
    public void unknown(int row, String why) {
        tell("unknown", table.pathBytes(row), ": " + why);
    }

    @Override
    public void unreadable(byte[] directory, String why) {
        tell("unreadable", directory, ": " + why);
    }

    @Override
    public void refused(byte[] path, Refusal why, int row) {
        tell("refused", path, ": " + why);
    }

    @Override
    public synchronized void incident(int missing, int known) {
        told.add("incident " + missing + " of " + known);
    }

    @Override
    public void finished(PassReport report) {}
}
