package io.loomstream.app.top;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The names of databases come from whoever makes files: nothing of them may reach the terminal as an order. */
class FrameTest {
    private static final Instant NOW = Instant.parse("2026-11-25T12:00:10Z");
    private static final String EVIL = "/data/\u001b]0;owned\u0007\u009b31m\u202egnp\u2028.db";

    private static JsonTree json(String text) throws IOException {
        return JsonTree.parse(text.replace('\'', '"'));
    }

    private static String hot(String path) {
        String escaped = path.codePoints().mapToObj(c -> "\\u%04x".formatted(c)).collect(Collectors.joining());
        return "{'path':'" + escaped + "','lagSeconds':0.25,'lastWrite':'2026-11-25T12:00:00Z',"
                + "'txidLocal':'00000000000000ff'}";
    }

    private static Sample sample(double seconds, long copies, long puts, List<String> hot, List<Event> events)
            throws IOException {
        return new Sample(
                (long) (seconds * 1e9),
                json("{'named':2,'databases':{'hot':3,'cold_clean':99000,'cold_dirty':0,'seeding':0,'failed':1},"
                        + "'transitions':{'hot':3}}"),
                json(
                        "{'version':'1.2','uptimeSeconds':100,'heapBytes':54000000,'queues':{'uploads':7},'replicated':{'copies':"
                                + copies + ",'lagSeconds':" + copies / 2.0
                                + ",'resyncs':4},'s3':{'requests':{'put':" + puts
                                + "},'endpoints':[{'breaker':'open'}]}}"),
                json("{'items':[{'name':'monitor','inUse':1,'permits':8,'waiting':5}]}"),
                json("{'items':[" + String.join(",", hot) + "]}"),
                events);
    }

    private static List<String> texts(int width, int height, Optional<Sample> before, Sample sample) {
        return new Frame(width, height)
                .lines("http://127.0.0.1:8080", before, sample, Optional.empty(), NOW).stream()
                        .map(Frame.Line::text)
                        .toList();
    }

    @Test
    void ratesAreThoseBetweenTwoLooksAndCostsThoseSinceTheStart() throws IOException {
        Sample before = sample(10, 100, 1_000, List.of(), List.of());
        Sample now = sample(12, 120, 1_010, List.of(hot("/data/a.db")), List.of());
        String all = String.join("\n", texts(120, 40, Optional.of(before), now));
        assertTrue(all.contains("hot 3   cold 99,000   waiting 0   failed 1   by name 2"), all);
        assertTrue(all.contains("10.0/s   lag 0.50 s   queued uploads 7   copied anew 4   heap 54 MB"), all);
        // 1,010 PUT in 100 s at $0.005 a thousand
        assertTrue(all.contains("5.0 requests/s   about $4.36 a day   ENDPOINTS FAILING: 1"), all);
        assertTrue(all.contains("monitor 1/8 +5 waiting"), all);
        assertTrue(all.lines().anyMatch(line -> line.matches("/data/a.db +0\\.3 s +10 s ago +255")), all);
        String first = String.join("\n", texts(120, 40, Optional.empty(), now));
        assertTrue(first.contains("1.2/s   lag 0.50 s") && first.contains("(since the start)"), first);
    }

    @Test
    void nothingOfANameIsAnOrderToTheTerminal() throws IOException {
        Event event = new Event("2026-11-25T12:00:01Z", EVIL, "failed: \u001b[2J\n\r", true);
        String all =
                String.join("", texts(300, 40, Optional.empty(), sample(1, 1, 1, List.of(hot(EVIL)), List.of(event))));
        assertTrue(all.codePoints().allMatch(c -> c >= ' ' && (c < 0x7f || c > 0x9f)), all);
        assertFalse(all.contains("\u202e") || all.contains("\u2028"));
        assertTrue(all.contains("/data/\\x1b]0;owned\\x07\\x9b31m\\u{202e}gnp\\u{2028}.db"), all);
        assertTrue(all.contains("failed: \\x1b[2J\\x0a\\x0d"), all);
    }

    @Test
    void noLineIsWiderAndNoFrameHigherThanTheScreen() throws IOException {
        List<String> hot = new ArrayList<>();
        List<Event> events = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            hot.add(hot("/data/\u4e2d\u6587\u0301/" + "x".repeat(i * 3) + EVIL));
            events.add(
                    new Event("2026-11-25T12:00:0" + i % 10 + "Z", "/data/" + "y".repeat(i), "hot > cold " + i, false));
        }
        Sample sample = sample(1, 1, 1, hot, events);
        for (int width = 1; width < 200; width += 7) {
            for (int height = 1; height < 70; height += 3) {
                List<String> lines = texts(width, height, Optional.empty(), sample);
                assertTrue(lines.size() <= height, width + "x" + height);
                for (String line : lines) {
                    assertTrue(Words.width(line) <= width, width + ": " + line);
                }
            }
        }
        List<String> usual = texts(80, 24, Optional.empty(), sample);
        assertEquals(24, usual.size(), "the whole screen is used");
        assertTrue(usual.contains("RECENT"), usual.toString());
    }

    @Test
    void theNewestEventsComeFirst() throws IOException {
        List<Event> events = List.of(
                new Event("2026-11-25T12:00:01Z", "/a", "hot > cold_clean", false),
                new Event("2026-11-25T12:00:02Z", "/b", "failed: full disk", true));
        List<Frame.Line> lines = new Frame(80, 24)
                .lines("s", Optional.empty(), sample(1, 1, 1, List.of(), events), Optional.of("gone"), NOW);
        List<String> texts = lines.stream().map(Frame.Line::text).toList();
        int heading = texts.indexOf("RECENT");
        assertEquals("12:00:02  /b  failed: full disk", texts.get(heading + 1));
        assertEquals(Frame.Style.BAD, lines.get(heading + 1).style());
        assertEquals("12:00:01  /a  hot > cold_clean", texts.get(heading + 2));
        assertEquals("gone", texts.get(1));
    }

    @Test
    void aServerThatSaysLessIsShownAllTheSame() throws IOException {
        JsonTree nothing = json("{}");
        List<String> lines =
                texts(80, 24, Optional.empty(), new Sample(0, nothing, nothing, nothing, nothing, List.of()));
        assertTrue(lines.contains("S3         not used"), lines.toString());
        assertTrue(lines.contains("nothing yet"), lines.toString());
    }

    @Test
    void anEventIsKeptOnceAndOldOnesGo() {
        RecentEvents kept = new RecentEvents(2);
        Event first = new Event("1", "/a", "x", false);
        Event second = new Event("2", "/a", "x", false);
        Event third = new Event("3", "/a", "x", false);
        kept.addAll(List.of(first, second));
        kept.addAll(List.of(second, third));
        assertEquals(List.of(second, third), kept.all());
    }
}
