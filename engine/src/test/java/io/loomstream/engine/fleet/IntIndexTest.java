package io.loomstream.engine.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class IntIndexTest {
    private final Map<Integer, Integer> hashes = new HashMap<>();
    private final IntIndex index = new IntIndex(hashes::get);

    private Set<Integer> runOf(int hash) {
        Set<Integer> found = new HashSet<>();
        for (int id : Ids.matching(index, hash, id -> hashes.get(id) == hash)) {
            assertTrue(found.add(id), "found twice");
        }
        return found;
    }

    @Test
    void holdsWhatAMapHoldsThroughCollisionsGrowthAndRemoval() {
        Random random = Seeds.random("holdsWhatAMapHoldsThroughCollisionsGrowthAndRemoval");
        for (int step = 0; step < 30_000; step++) {
            int id = random.nextInt(1_000);
            Integer known = hashes.get(id);
            if (known == null) {
                // Few hashes, and bad ones, so that runs are long and wrap around.
                int hash = (random.nextInt(40) - 20) << random.nextInt(28);
                hashes.put(id, hash);
                index.add(id, hash);
            } else if (random.nextInt(5) < 3) {
                assertTrue(index.remove(id, known));
                hashes.remove(id);
                assertFalse(index.remove(id, known));
            }
            assertEquals(hashes.size(), index.size());
            if (step % 500 == 0) {
                Map<Integer, Set<Integer>> expected = new HashMap<>();
                hashes.forEach((one, hash) -> expected.computeIfAbsent(hash, ignored -> new HashSet<>())
                        .add(one));
                expected.forEach((hash, ids) -> assertEquals(ids, runOf(hash)));
            }
        }
    }
}
