package io.loomstream.engine.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NewestFirstTest {
    @Test
    void theMostRecentlyWrittenComesFirst() {
        Map<String, Long> written = Map.of("a", -5L, "b", 7L, "c", Long.MIN_VALUE / 4);
        assertEquals(List.of("b", "a", "c"), NewestFirst.order(written.keySet(), written::get));
    }

    @Test
    void writesDuringTheSortDoNotDisturbIt() {
        List<Integer> rows = IntStream.range(0, 2000).boxed().toList();
        AtomicLong asked = new AtomicLong();
        // Whoever asks twice for one row gets two answers, as from a database that is written to.
        List<Integer> sorted = NewestFirst.order(rows, row -> asked.incrementAndGet() * 7919 % 1009);
        assertEquals(rows.size(), asked.get());
        assertEquals(new HashSet<>(rows), new HashSet<>(sorted));
    }
}
