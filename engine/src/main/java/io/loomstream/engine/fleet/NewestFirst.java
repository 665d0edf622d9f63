package io.loomstream.engine.fleet;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Puts what was written to most recently first. Each moment is asked for once: a sort that asks again gets another answer when
 * an application writes meanwhile, and fails.
 */
final class NewestFirst {
    private NewestFirst() {}

    /** @param moment in any unit whose differences fit a long: a {@code nanoTime} may have any sign */
    static <T> List<T> order(Collection<T> all, ToLongFunction<T> moment) {
        List<Dated<T>> dated = new ArrayList<>(all.size());
        for (T one : all) {
            dated.add(new Dated<>(one, moment.applyAsLong(one)));
        }
        dated.sort((a, b) -> Long.compare(b.at - a.at, 0));
        return dated.stream().map(Dated::what).toList();
    }

    private record Dated<T>(T what, long at) {}
}
