package io.loomstream.app.top;

/**
 * Something that happened.
 *
 * @param at when, ISO 8601
 * @param path of the database; empty for none
 * @param what in words
 * @param bad whether a person should look
 */
public record Event(String at, String path, String what, boolean bad) {
    /** The event of a kind, from its fields. */
    static Event of(String kind, JsonTree fields) {
        String why = fields.get("why").text();
        String path = fields.get("path").text();
        String at = fields.get("at").text();
        return switch (kind) {
            case "transition" -> {
                String to = fields.get("to").text();
                boolean failed = to.equals("failed");
                yield new Event(
                        at, path, failed ? "failed: " + why : fields.get("from").text() + " > " + to, failed);
            }
            case "lost" ->
                new Event(
                        at,
                        "",
                        "events were lost: " + (long) fields.get("events").number(),
                        false);
            default -> new Event(at, path, kind + ": " + why, true);
        };
    }

    /** Scans come all the time, and say nothing about a database. */
    static boolean isWorthALine(String kind) {
        return !kind.equals("scan");
    }
}
