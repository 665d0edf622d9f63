package io.loomstream.engine.fleet;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/**
 * Which database has which replica path, over all fleets of the process: two in one place would destroy each other's history.
 * A place is claimed when a database is found, not when it is served, so that one which is cold and proven keeps its own. Ten
 * bytes a database: a row and a hash; the path itself is made again where two hashes meet.
 *
 * <p>Whoever came first keeps a place until its file is gone. In a first pass, where all come at once, the one that was
 * replicated before has it: proven clean or hot at the last stop, else with a meta directory.
 *
 * <p>Thread-safe: one lock, in which the path tables' locks are taken, never the reverse.
 */
final class PlaceClaims {
    private final ReentrantLock lock = new ReentrantLock();
    private final List<Member> members = new ArrayList<>(); // guarded by lock

    /** Lets a fleet's databases claim places. */
    Member join(PathTable table, FleetOptions.Places places, Predicate<String> wasHot) {
        Member member = new Member(table, places, wasHot);
        lock.lock();
        try {
            members.add(member);
        } finally {
            lock.unlock();
        }
        return member;
    }

    /** The claims of one fleet. */
    final class Member {
        private final PathTable table;
        private final FleetOptions.Places places;
        private final Predicate<String> wasHot;
        private volatile boolean settled;

        // Both guarded by lock. A row's hash as it was claimed; what was taken for a name that changed hands is
        // replaced.
        private int[] hashes = new int[0];
        private final IntIndex index = new IntIndex(row -> this.hashes[row]);

        private Member(PathTable table, FleetOptions.Places places, Predicate<String> wasHot) {
            this.table = table;
            this.places = places;
            this.wasHot = wasHot;
        }

        /** From now on databases are served, and whoever has a place keeps it. */
        void firstPassIsOver() {
            settled = true;
        }

        /**
         * Claims the place of a database; again is no error.
         *
         * @return the path of the database that has it; empty when this one does now
         * @throws IllegalArgumentException when the database can have no place
         */
        Optional<String> claim(int row) {
            String place = place(row);
            int hash = hash(place);
            lock.lock();
            try {
                for (Member member : members) {
                    int owner = member.owner(hash, place, member == this ? row : PathTable.NONE);
                    if (owner != PathTable.NONE
                            && !(member.mayYield(owner) && strength(row) > member.strength(owner))) {
                        return Optional.of(member.path(owner));
                    } else if (owner != PathTable.NONE) {
                        member.drop(owner);
                    }
                }
                take(row, hash);
                return Optional.empty();
            } finally {
                lock.unlock();
            }
        }

        private String path(int row) {
            return new String(table.pathBytes(row), StandardCharsets.UTF_8);
        }

        private String place(int row) {
            return places.place(path(row), table.pattern(row));
        }

        /** A hash of its own for each text, never 0, which stands for "none". */
        private int hash(String place) {
            int hash = place.hashCode();
            return hash == 0 ? 1 : hash;
        }

        /** Another row than {@code except} that has the place, or NONE. */
        private int owner(int hash, String place, int except) {
            int slot = index.slotOf(hash);
            while (index.at(slot) != IntIndex.NONE) {
                int row = index.at(slot);
                if (row != except && hashes[row] == hash && isThere(row) && place.equals(placeOrNone(row))) {
                    return row;
                }
                slot = index.after(slot);
            }
            return PathTable.NONE;
        }

        private boolean isThere(int row) {
            return table.tier(row).filter(tier -> tier != Tier.GONE).isPresent();
        }

        private String placeOrNone(int row) {
            try {
                return place(row);
            } catch (IllegalArgumentException removedMeanwhile) {
                return "";
            }
        }

        /** Nobody is served before a first pass is over, but those that were hot. */
        private boolean mayYield(int row) {
            return !settled && table.isIn(row, Tier.DISCOVERED);
        }

        private int strength(int row) {
            String path = path(row);
            if (!table.isIn(row, Tier.DISCOVERED) || wasHot.test(path)) {
                return 2;
            }
            return Files.isDirectory(places.metaPath(path, table.pattern(row))) ? 1 : 0;
        }

        private void take(int row, int hash) {
            if (row >= hashes.length) {
                hashes = Arrays.copyOf(hashes, Math.max(row + 1, hashes.length + hashes.length / 2));
            }
            if (hashes[row] != hash) {
                drop(row);
                hashes[row] = hash;
                index.add(row, hash);
            }
        }

        private void drop(int row) {
            if (hashes[row] != 0) {
                index.remove(row, hashes[row]);
                hashes[row] = 0;
            }
        }

        long bytes() {
            lock.lock();
            try {
                return 4L * hashes.length + index.bytes();
            } finally {
                lock.unlock();
            }
        }
    }
}
