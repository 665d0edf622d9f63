package io.loomstream.engine.fleet;

import io.loomstream.engine.compaction.Levels;
import io.loomstream.engine.compaction.Maintenance;
import io.loomstream.engine.compaction.Site;
import io.loomstream.engine.compaction.Subject;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.sync.DatabaseSpec;
import io.loomstream.engine.sync.LostReplicas;
import io.loomstream.engine.sync.ReplicatedDatabase;
import io.loomstream.engine.sync.UploadListener;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A database that the configuration names. Thread-safe. */
final class SpecSite implements Site {
    private final DatabaseSpec spec;
    private final LostReplicas lostReplicas;
    private volatile @Nullable ReplicatedDatabase database;

    SpecSite(DatabaseSpec spec, LostReplicas lostReplicas) {
        this.spec = spec;
        this.lostReplicas = lostReplicas;
    }

    /** Says who makes complete copies. */
    void servedBy(ReplicatedDatabase served) {
        database = served;
    }

    DatabaseSpec spec() {
        return spec;
    }

    @Override
    public String name() {
        return spec.options().path().toString();
    }

    @Override
    public Optional<Subject> subject() {
        return subject(spec, lostReplicas);
    }

    /** What compaction needs of a database; empty when its files are to stay as they are. */
    static Optional<Subject> subject(DatabaseSpec spec, LostReplicas lostReplicas) {
        return spec.levels()
                .map(levels -> new Subject(
                        spec.options().path(), spec.options().metaPath(), spec.replica(), levels, lostReplicas));
    }

    @Override
    public void wantsCompleteCopy(String why) throws InterruptedException {
        ReplicatedDatabase served = database;
        if (served != null) {
            served.wantCompleteCopy();
        }
    }

    /** Hands on to the maintenance what is uploaded. */
    static UploadListener listener(Maintenance maintenance, Site site, Optional<Levels> levels) {
        if (levels.isEmpty()) {
            return UploadListener.NONE;
        }
        return new UploadListener() {
            @Override
            public void located(Txid newest) {
                maintenance.located(site, levels.get(), newest);
            }

            @Override
            public void stored(ReplicaFile file, long checksum) {
                maintenance.stored(site, levels.get(), file, checksum);
            }
        };
    }
}
