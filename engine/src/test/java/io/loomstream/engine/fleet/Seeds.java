package io.loomstream.engine.fleet;

import java.util.Random;

/** Randomness that can be had again: prints its seed, and takes it from {@code -Dloomstream.seed}. */
final class Seeds {
    private Seeds() {}

    static Random random(String test) {
        long seed = Long.getLong("loomstream.seed", System.nanoTime());
        System.out.println(test + ": -Dloomstream.seed=" + seed);
        return new Random(seed);
    }
}
