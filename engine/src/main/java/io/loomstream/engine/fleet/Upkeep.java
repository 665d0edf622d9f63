package io.loomstream.engine.fleet;

import io.loomstream.engine.compaction.Maintenance;
import io.loomstream.engine.compaction.Subject;
import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.error.UnsupportedDatabaseException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.sync.DatabaseSpec;

/** Snapshots and retention without a server: for a run that copies its databases once. One thread. */
public final class Upkeep {
    private final Maintenance maintenance;

    public Upkeep(ReplicationOptions options) {
        this.maintenance = new Maintenance(
                new Gate("compaction", 1), new Gate("snapshot", 1), options.time(), CodecResources.shared());
    }

    /**
     * Works on the replica of one database, which nobody else may be working on.
     *
     * @param snapshot whether to make a snapshot of what the replica holds, unless there is one
     * @param retention whether to delete snapshots that are past their retention, and what only they needed
     * @throws io.loomstream.engine.error.EngineException when it cannot be done
     */
    public void once(DatabaseSpec spec, boolean snapshot, boolean retention) throws InterruptedException {
        SpecSite site = new SpecSite(spec);
        Subject subject = site.subject()
                .orElseThrow(() -> new UnsupportedDatabaseException(site.name() + ": is replicated without levels"));
        maintenance.demand(site, subject, snapshot, retention);
    }
}
