package io.loomstream.engine.testing;

import java.util.Random;

/**
 * Where random tests get their randomness: every run has another seed, prints it, and is repeated with
 * {@code -Dloomstream.seed=…}.
 */
public final class Seed {
    private Seed() {}

    /** A random source for one test, whose seed stands in the test's output. */
    public static Random random(String test) {
        long seed = Long.getLong("loomstream.seed", System.nanoTime());
        System.out.println(test + ": loomstream.seed=" + seed);
        return new Random(seed);
    }
}
