package io.loomstream.app;

import io.loomstream.admin.AdminOptions;
import io.loomstream.app.config.ConfigException;
import io.loomstream.app.config.GoDuration;
import io.loomstream.app.top.ApiClient;
import io.loomstream.app.top.Frame;
import io.loomstream.app.top.PinnedCertificate;
import io.loomstream.app.top.Sample;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;

/** A view of a running server on a terminal, over its admin API. */
final class TopCommand implements Command {
    private static final Duration INTERVAL_MIN = Duration.ofMillis(100);
    private static final int LINES_ONCE = 50;
    private static final int COLUMNS_ONCE = 200;
    /** The second screen, so that what stood on the terminal before comes back; no cursor. */
    private static final String ENTER = "\033[?1049h\033[?25l\033[2J";

    private static final String LEAVE = "\033[?25h\033[?1049l";
    private static final String HOME = "\033[H";
    private static final String ERASE_LINE = "\033[K";
    private static final String ERASE_BELOW = "\033[J";

    @Override
    public Flags flags() {
        return Sources.withConfig(Flags.of(
                        "top [flags]",
                        "Shows what a running server does, until Ctrl-C; or once, when the output is no terminal."))
                .value("addr", "ADDRESS", "Where its admin API is: host:port or a URL; default: admin.addr.")
                .value("token-file", "PATH", "A file that holds the token; default: the configuration's.")
                .value("interval", "DURATION", "How often to look; 2s.")
                .onOff("once", "Print one plain screen, and end.");
    }

    @Override
    public int run(Flags.Parsed words, PrintStream out, PrintStream err)
            throws UsageException, IOException, InterruptedException {
        Sources.none(words.arguments());
        Duration interval = interval(words.value("interval").orElse("2s"));
        Place place = place(words);
        try (ApiClient client = new ApiClient(place.server(), place.token(), place.tls())) {
            if (words.on("once") || !Boolean.getBoolean("loomstream.terminal.output")) {
                once(client, place, out);
            } else {
                watch(client, place, interval, out);
            }
        }
        return 0;
    }

    private static Duration interval(String text) throws UsageException {
        try {
            Duration interval = GoDuration.parse(text);
            if (interval.compareTo(INTERVAL_MIN) >= 0) {
                return interval;
            }
        } catch (IllegalArgumentException notOne) {
            // said below
        }
        throw new UsageException("invalid value \"" + text + "\" for flag -interval: must be 100ms or more, as in 2s");
    }

    // ---- where

    private record Place(URI server, Optional<String> token, Optional<SSLContext> tls) {}

    private static Place place(Flags.Parsed words) throws UsageException, IOException {
        Optional<AdminOptions> configured = configured(words);
        Optional<String> token = configured.flatMap(AdminOptions::token);
        if (words.value("token-file").isPresent()) {
            token = Optional.of(token(Path.of(words.value("token-file").get())));
        }
        Optional<SSLContext> tls = Optional.empty();
        if (configured.flatMap(AdminOptions::tls).isPresent()) {
            tls = Optional.of(PinnedCertificate.of(configured.get().tls().get().certificate()));
        }
        URI server = words.value("addr").isPresent()
                ? AdminAddress.parse(words.value("addr").get(), tls.isPresent())
                : AdminAddress.of(configured.orElse(AdminOptions.DEFAULTS));
        return new Place(server, token, tls);
    }

    /** Empty when no configuration is named, and none is needed. */
    private static Optional<AdminOptions> configured(Flags.Parsed words) throws IOException, UsageException {
        boolean named = words.value("config").isPresent();
        if (!named && (words.value("addr").isPresent() || !thereIsOne())) {
            return Optional.empty();
        }
        try (Sources sources = new Sources()) {
            Optional<AdminOptions> admin =
                    sources.config(words).config().serving().admin();
            if (admin.isEmpty()) {
                throw new ConfigException(
                        "this configuration serves no admin API: set admin.addr, or name a server with" + " -addr");
            }
            if (admin.get().port() == 0 && words.value("addr").isEmpty()) {
                throw new UsageException(
                        "admin.addr lets the server take any free port: name the one it has with -addr");
            }
            return admin;
        }
    }

    private static boolean thereIsOne() {
        return List.of("LOOMSTREAM_CONFIG", "LITESTREAM_CONFIG").stream()
                        .anyMatch(name -> !Optional.ofNullable(System.getenv(name))
                                .orElse("")
                                .isEmpty())
                || Files.exists(Path.of("/etc/loomstream.yml"))
                || Files.exists(Path.of("/etc/litestream.yml"));
    }

    private static String token(Path file) throws IOException {
        String token;
        try {
            token = Files.readString(file).strip();
        } catch (IOException e) {
            throw new IOException("-token-file: cannot read " + file, e);
        }
        if (token.isEmpty() || token.chars().anyMatch(c -> c <= ' ' || c >= 0x7f)) {
            throw new IOException("-token-file: " + file + " does not hold one token");
        }
        return token;
    }

    // ---- showing

    private static void once(ApiClient client, Place place, PrintStream out) throws IOException, InterruptedException {
        client.sample(); // so that a wrong address or token is what is complained about
        client.readRecentEvents();
        int width = number(System.getenv("COLUMNS")).orElse(COLUMNS_ONCE);
        new Frame(width, LINES_ONCE)
                .lines(place.server().toString(), Optional.empty(), client.sample(), Optional.empty(), Instant.now())
                .forEach(line -> out.println(line.text()));
        out.flush();
    }

    private static void watch(ApiClient client, Place place, Duration interval, PrintStream out)
            throws IOException, InterruptedException {
        Sample sample = client.sample(); // an error here is said before the screen is taken
        CountDownLatch stopped = new CountDownLatch(1);
        TerminationSignals.handle(signal -> stopped.countDown());
        Thread listener = Thread.ofVirtual().start(() -> listen(client, stopped));
        Thread whenKilled = new Thread(() -> leave(out)); // a hangup: the JVM ends without coming back here
        Runtime.getRuntime().addShutdownHook(whenKilled);
        out.print(ENTER);
        try {
            Optional<Sample> before = Optional.empty();
            Optional<String> problem = Optional.empty();
            do {
                draw(place, before, sample, problem, out);
                if (stopped.await(interval.toNanos(), TimeUnit.NANOSECONDS)) {
                    return;
                }
                try {
                    Sample next = client.sample();
                    before = Optional.of(sample);
                    sample = next;
                    problem = Optional.empty();
                } catch (ApiClient.TokenException e) {
                    throw e;
                } catch (IOException e) {
                    problem = Optional.of(String.valueOf(e.getMessage()));
                }
            } while (!out.checkError());
        } finally {
            stopped.countDown();
            leave(out);
            Runtime.getRuntime().removeShutdownHook(whenKilled);
            client.close();
            listener.interrupt();
        }
    }

    private static void leave(PrintStream out) {
        out.print(LEAVE);
        out.flush();
    }

    /** Again and again: a server may be restarted meanwhile. */
    private static void listen(ApiClient client, CountDownLatch stopped) {
        try {
            do {
                try {
                    client.listen();
                } catch (IOException brokenOff) {
                    // The screen says that the server does not answer; events go on when it does.
                }
            } while (!stopped.await(2, TimeUnit.SECONDS));
        } catch (InterruptedException over) {
            Thread.currentThread().interrupt();
        }
    }

    private static void draw(
            Place place, Optional<Sample> before, Sample sample, Optional<String> problem, PrintStream out)
            throws InterruptedException {
        Size size = size();
        List<Frame.Line> lines = new Frame(size.columns(), size.lines())
                .lines(place.server().toString(), before, sample, problem, Instant.now());
        StringBuilder text = new StringBuilder(HOME);
        for (int i = 0; i < lines.size(); i++) {
            String begin = switch (lines.get(i).style()) {
                case PLAIN -> "";
                case HEADING -> "\033[1m";
                case BAD -> "\033[31m";
            };
            text.append(begin)
                    .append(lines.get(i).text())
                    .append(begin.isEmpty() ? "" : "\033[0m")
                    .append(ERASE_LINE);
            if (i < lines.size() - 1) {
                text.append("\r\n"); // none after the last: it would scroll a full screen
            }
        }
        out.print(text.append(lines.size() < size.lines() ? "\r\n" + ERASE_BELOW : ""));
        out.flush();
    }

    private record Size(int columns, int lines) {}

    /** Asked for each time: windows are resized, and Java is not told. */
    private static Size size() throws InterruptedException {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(Path.of("/dev/tty").toFile())
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String[] words = new String(
                            stty.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.US_ASCII)
                    .strip()
                    .split(" ", -1);
            Optional<Integer> lines = number(words[0]);
            Optional<Integer> columns = words.length == 2 ? number(words[1]) : Optional.empty();
            if (stty.waitFor() == 0 && lines.isPresent() && columns.isPresent()) {
                return new Size(columns.get(), lines.get());
            }
        } catch (IOException noSttyOrNoTerminal) {
            // the environment may know
        }
        return new Size(
                number(System.getenv("COLUMNS")).orElse(80),
                number(System.getenv("LINES")).orElse(24));
    }

    private static Optional<Integer> number(@org.jspecify.annotations.Nullable String text) {
        boolean digits = text != null
                && !text.isEmpty()
                && text.length() < 6
                && text.chars().allMatch(c -> c >= '0' && c <= '9');
        return digits ? Optional.of(Integer.parseInt(text)).filter(value -> value > 0) : Optional.empty();
    }
}
