package io.loomstream.engine.fleet;

import java.util.List;
import java.util.Optional;

/**
 * Some of the databases that a query means.
 *
 * @param next where the next page begins; empty when this was the last one
 */
public record DatabasePage(List<FoundDatabase> items, Optional<String> next) {
    public DatabasePage {
        items = List.copyOf(items);
    }
}
