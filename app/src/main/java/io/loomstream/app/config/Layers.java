package io.loomstream.app.config;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The mappings that a replica's keys may stand in; the first that gives a key a value counts. */
final class Layers {
    private final List<Fields> layers;

    private Layers(List<Fields> layers) {
        this.layers = List.copyOf(layers);
    }

    static Layers of(Fields... layers) {
        return new Layers(Arrays.asList(layers));
    }

    /** These, and one more behind them. */
    Layers then(Fields last) {
        List<Fields> more = new ArrayList<>(layers);
        more.add(last);
        return new Layers(more);
    }

    /** The mapping whose value of a key counts; the first one where nobody has it. */
    Fields in(String key) {
        return layers.stream().filter(fields -> fields.gives(key)).findFirst().orElse(layers.getFirst());
    }

    /** The first mapping that gives any of the keys a value. */
    Optional<Fields> withAny(List<String> keys) {
        return layers.stream()
                .filter(fields -> keys.stream().anyMatch(fields::gives))
                .findFirst();
    }

    Optional<String> text(String key) throws ConfigException {
        return in(key).text(key);
    }
}
