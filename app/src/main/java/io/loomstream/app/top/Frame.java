package io.loomstream.app.top;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Lays out one screen. Pure: the same samples make the same lines.
 *
 * @param width columns
 * @param height lines
 */
public record Frame(int width, int height) {
    private static final int LAG = 10;
    private static final int WRITTEN = 12;
    private static final int POSITION = 12;
    private static final int PATH_MIN = 12;
    private static final int TIME = 10;
    /** Around the two lists: headings and the blank lines before them. */
    private static final int AROUND_LISTS = 4;
    /** Shown whether or not a database is in them. */
    private static final Map<String, String> NAMES = Map.of("cold_clean", "cold", "cold_dirty", "waiting");

    /** How a line stands out. */
    public enum Style {
        PLAIN,
        HEADING,
        BAD
    }

    /** One line, no wider than the screen and safe to print. */
    public record Line(String text, Style style) {}

    /**
     * The lines, at most {@link #height}.
     *
     * @param before for rates; empty for averages since the server's start
     * @param problem why the newest sample is not newer; empty for none
     */
    public List<Line> lines(
            String server, Optional<Sample> before, Sample sample, Optional<String> problem, Instant now) {
        List<Line> lines = new ArrayList<>();
        add(
                lines,
                Style.HEADING,
                "loomstream " + sample.stats().get("version").text() + "  " + server + "  up "
                        + Words.duration(sample.upSeconds()) + "  "
                        + now.toString().substring(0, 19) + "Z");
        problem.ifPresent(text -> add(lines, Style.BAD, text));
        add(lines, Style.PLAIN, "Databases  " + tiers(sample.tiers()));
        add(lines, Style.PLAIN, "Copies     " + copies(before, sample));
        add(lines, Style.PLAIN, "S3         " + s3(before, sample));
        add(lines, Style.PLAIN, "Gates      " + gates(sample.gates()));
        int room = Math.max(0, height - lines.size() - AROUND_LISTS);
        List<JsonTree> hot = sample.hot().get("items").items();
        int events = Math.min(sample.events().size(), Math.max(room / 3, room - hot.size()));
        hot(lines, hot, Math.max(1, room - Math.max(1, events)), now);
        events(lines, sample.events(), Math.max(1, events));
        return List.copyOf(lines.subList(0, Math.min(lines.size(), height)));
    }

    private void add(List<Line> lines, Style style, String text) {
        lines.add(new Line(Words.cut(Words.safe(text), width).stripTrailing(), style));
    }

    private static String tiers(JsonTree tiers) {
        StringBuilder text = new StringBuilder();
        tiers.get("databases").fields().forEach((tier, count) -> {
            if (count.number() > 0
                    || List.of("hot", "cold_clean", "cold_dirty", "failed").contains(tier)) {
                text.append(NAMES.getOrDefault(tier, tier))
                        .append(' ')
                        .append(Words.number(count.number()))
                        .append("   ");
            }
        });
        if (tiers.get("named").number() > 0) {
            text.append("by name ").append(Words.number(tiers.get("named").number()));
        }
        return text.toString();
    }

    private static String copies(Optional<Sample> before, Sample sample) {
        double copies = sample.copies() - before.map(Sample::copies).orElse(0.0);
        double lag = sample.lagSeconds() - before.map(Sample::lagSeconds).orElse(0.0);
        JsonTree stats = sample.stats();
        return Words.tenths(copies / seconds(before, sample)) + "/s   lag "
                + (copies > 0 ? String.format(Locale.ROOT, "%.2f s", lag / copies) : "-") + "   queued uploads "
                + Words.number(stats.get("queues").get("uploads").number()) + "   copied anew "
                + Words.number(stats.get("replicated").get("resyncs").number()) + "   heap "
                + Words.number(stats.get("heapBytes").number() / 1e6) + " MB" + since(before);
    }

    private static String s3(Optional<Sample> before, Sample sample) {
        JsonTree s3 = sample.stats().get("s3");
        if (!s3.isThere()) {
            return "not used";
        }
        double requests = sample.requests() - before.map(Sample::requests).orElse(0.0);
        long failing = s3.get("endpoints").items().stream()
                .filter(endpoint -> !endpoint.get("breaker").text().equals("closed"))
                .count();
        return Words.tenths(requests / seconds(before, sample)) + " requests/s   about $"
                + String.format(Locale.ROOT, "%.2f", Prices.usdADay(s3.get("requests"), sample.upSeconds()))
                + " a day" + (failing > 0 ? "   ENDPOINTS FAILING: " + failing : "") + since(before);
    }

    private static double seconds(Optional<Sample> before, Sample sample) {
        return before.map(older -> Math.max(1e-3, (sample.nanos() - older.nanos()) / 1e9))
                .orElse(Math.max(1, sample.upSeconds()));
    }

    private static String since(Optional<Sample> before) {
        return before.isPresent() ? "" : "   (since the start)";
    }

    private static String gates(JsonTree gates) {
        return gates.get("items").items().stream()
                .map(gate -> gate.get("name").text() + " "
                        + Words.number(gate.get("inUse").number()) + "/"
                        + Words.number(gate.get("permits").number())
                        + (gate.get("waiting").number() > 0
                                ? " +" + Words.number(gate.get("waiting").number()) + " waiting"
                                : ""))
                .collect(Collectors.joining("   "));
    }

    private void hot(List<Line> lines, List<JsonTree> hot, int most, Instant now) {
        int path = Math.max(PATH_MIN, width - LAG - WRITTEN - POSITION);
        lines.add(new Line("", Style.PLAIN));
        add(lines, Style.HEADING, hotRow("HOT", "LAG", "LAST WRITE", "TXID", path));
        if (hot.isEmpty()) {
            add(lines, Style.PLAIN, "none");
        }
        for (JsonTree database : hot.subList(0, Math.min(hot.size(), most))) {
            add(
                    lines,
                    Style.PLAIN,
                    hotRow(
                            Words.cutHead(Words.safe(database.get("path").text()), path - 2),
                            Words.tenths(database.get("lagSeconds").number()) + " s",
                            Words.ago(database.get("lastWrite").text(), now),
                            position(database.get("txidLocal").text()),
                            path));
        }
    }

    private static String hotRow(String path, String lag, String written, String position, int width) {
        return Words.padded(path, width) + Words.padded(lag, LAG) + Words.padded(written, WRITTEN) + position;
    }

    private static String position(String txid) {
        try {
            return Long.toUnsignedString(Long.parseUnsignedLong(txid, 16));
        } catch (NumberFormatException unknown) {
            return "-";
        }
    }

    private void events(List<Line> lines, List<Event> events, int most) {
        lines.add(new Line("", Style.PLAIN));
        add(lines, Style.HEADING, "RECENT");
        if (events.isEmpty()) {
            add(lines, Style.PLAIN, "nothing yet");
        }
        for (Event event : events.reversed().subList(0, Math.min(events.size(), most))) {
            String what = Words.safe(event.what());
            String time = event.at().length() >= 19 ? event.at().substring(11, 19) : "";
            // Two thirds for the path at most: an error says more than a directory.
            int room = Math.max(PATH_MIN, width - TIME - Math.min(Words.width(what) + 2, width / 2));
            String path = Words.cutHead(Words.safe(event.path()), room);
            add(
                    lines,
                    event.bad() ? Style.BAD : Style.PLAIN,
                    Words.padded(time, TIME) + path + (path.isEmpty() ? "" : "  ") + what);
        }
    }
}
