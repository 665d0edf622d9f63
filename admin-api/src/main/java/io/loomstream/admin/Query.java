package io.loomstream.admin;

import io.javalin.http.Context;
import io.loomstream.engine.fleet.DatabaseId;
import io.loomstream.engine.fleet.DatabaseQuery;
import io.loomstream.engine.fleet.Tier;
import io.loomstream.engine.fleet.TierFilter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Reads query parameters; every refusal names the parameter. */
final class Query {
    private static final int TEXT_MAX = 1_024;

    private final Context context;

    Query(Context context, Set<String> known) {
        this.context = context;
        for (var parameter : context.queryParamMap().entrySet()) {
            if (!known.contains(parameter.getKey())) {
                throw Problem.badRequest("there is no parameter of this name here; known: "
                        + String.join(", ", known.stream().sorted().toList()));
            }
            if (parameter.getValue().size() > 1) {
                throw Problem.badRequest(parameter.getKey() + ": given twice");
            }
        }
    }

    /** Empty when it is not given, or given as nothing. */
    Optional<String> text(String name) {
        Optional<String> value = Optional.ofNullable(context.queryParam(name)).filter(given -> !given.isEmpty());
        if (value.isPresent() && value.get().length() > TEXT_MAX && !name.equals("cursor") && !name.equals("path")) {
            throw Problem.badRequest(name + ": longer than " + TEXT_MAX + " characters");
        }
        return value;
    }

    int number(String name, int unset, int min, int max) {
        Optional<String> value = text(name);
        if (value.isEmpty()) {
            return unset;
        }
        try {
            int number = Integer.parseInt(value.get());
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException notOne) {
            // said below
        }
        throw Problem.badRequest(name + ": must be a number from " + min + " to " + max);
    }

    boolean yes(String name) {
        Optional<String> value = text(name);
        if (value.isEmpty() || value.get().equals("false")) {
            return false;
        }
        if (value.get().equals("true")) {
            return true;
        }
        throw Problem.badRequest(name + ": must be true or false");
    }

    <E extends Enum<E>> Optional<E> choice(String name, Class<E> type) {
        Optional<String> value = text(name);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        List<E> constants = List.of(type.getEnumConstants());
        for (E constant : constants) {
            if (JsonText.word(constant).equals(value.get().toLowerCase(Locale.ROOT))) {
                return Optional.of(constant);
            }
        }
        throw Problem.badRequest(name + ": must be one of "
                + String.join(", ", constants.stream().map(JsonText::word).toList()));
    }

    DatabaseQuery databases() {
        return new DatabaseQuery(
                choice("tier", TierFilter.class),
                choice("state", Tier.class),
                text("project"),
                text("database"),
                text("q"),
                choice("sort", DatabaseQuery.Sort.class).orElse(DatabaseQuery.Sort.TABLE));
    }

    /** A database named by an id or, in the parameter {@code path}, by its path. */
    static DatabaseId id(String text) {
        try {
            return DatabaseId.parse(text);
        } catch (IllegalArgumentException e) {
            throw new Problem(404, "there is no database of this id");
        }
    }
}
