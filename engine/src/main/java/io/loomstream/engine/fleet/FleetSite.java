package io.loomstream.engine.fleet;

import io.loomstream.engine.compaction.Site;
import io.loomstream.engine.compaction.SiteTable;
import io.loomstream.engine.compaction.Subject;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * A database of a fleet, whatever tier it is in.
 *
 * @param name its path
 */
record FleetSite(Fleet fleet, String name) implements Site {
    @Override
    public Optional<SiteTable.Seat> seat() {
        int row = fleet.table().find(name.getBytes(StandardCharsets.UTF_8));
        return row == PathTable.NONE ? Optional.empty() : Optional.of(new SiteTable.Seat(fleet, row));
    }

    @Override
    public Optional<Subject> subject() {
        return fleet.spec(name).flatMap(spec -> SpecSite.subject(spec, fleet.lostReplicas()));
    }

    @Override
    public void wantsCompleteCopy(String why) throws InterruptedException {
        fleet.wantCompleteCopy(name);
    }
}
