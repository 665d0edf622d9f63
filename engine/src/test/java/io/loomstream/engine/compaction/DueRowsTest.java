package io.loomstream.engine.compaction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.testing.Seed;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DueRowsTest {
    private final DueRows rows = new DueRows();

    private void assertHolds(Map<Integer, int[]> model) {
        assertEquals(model.size(), rows.size());
        model.forEach((row, said) -> {
            int position = rows.find(row);
            assertEquals(row, rows.row(position));
            assertEquals(said[0], rows.mark(position));
            assertEquals(said[1], rows.due(position));
        });
        if (!model.isEmpty()) {
            int earliest =
                    model.values().stream().mapToInt(said -> said[1]).min().orElseThrow();
            assertEquals(earliest, rows.due(0));
        }
    }

    @Test
    void holdsWhatAMapHoldsThroughManyPutsAndRemoves() {
        Random random = Seed.random("holdsWhatAMapHoldsThroughManyPutsAndRemoves");
        Map<Integer, int[]> model = new HashMap<>();
        for (int step = 0; step < 40_000; step++) {
            boolean filling = step / 5_000 % 2 == 0;
            int row = random.nextInt(3_000) * (random.nextInt(10) == 0 ? 65_536 : 1);
            if (random.nextInt(10) < (filling ? 7 : 2)) {
                int[] said = {random.nextInt(), random.nextInt(1_000)};
                rows.put(row, said[0], said[1]);
                model.put(row, said);
            } else if (random.nextBoolean() && rows.size() > 0) {
                model.remove(rows.row(0));
                rows.remove(0);
            } else if (rows.find(row) != DueRows.NONE) {
                model.remove(row);
                rows.remove(rows.find(row));
            }
            if (step % 500 == 0) {
                assertHolds(model);
            }
        }
        assertHolds(model);
    }

    @Test
    void rowThatIsNotThereIsNotFound() {
        rows.put(7, 1, 2);
        assertEquals(DueRows.NONE, rows.find(8));
        rows.remove(rows.find(7));
        assertEquals(DueRows.NONE, rows.find(7));
    }

    @Test
    void memoryIsGivenBackWhenFewAreLeft() {
        long empty = rows.memoryBytes();
        for (int row = 0; row < 100_000; row++) {
            rows.put(row, 0, row % 86_400);
        }
        long full = rows.memoryBytes();
        assertTrue(full <= 4_000_000, full + " bytes for 100000 rows");
        while (rows.size() > 0) {
            rows.remove(0);
        }
        assertTrue(rows.memoryBytes() <= 4 * empty, rows.memoryBytes() + " bytes for none, at first " + empty);
    }
}
