package io.loomstream.perf;

import io.loomstream.engine.testing.s3.Fault;
import io.loomstream.engine.testing.s3.FaultyWire;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * The faults of a bad day between server and bucket, at random: errors, throttling in bursts, lost answers, resets and cuts
 * in both directions, a few stalls, and spells in which no connection is accepted.
 */
final class StormyWeather implements Weather, AutoCloseable {
    /** Of a thousand requests. */
    private static final int FAULTS_OF_THOUSAND = 80;

    /** Each holds its request up for the client's whole stall limit. */
    private static final int STALLS_MAX = 3;

    private static final long BURST_NANOS = TimeUnit.MILLISECONDS.toNanos(300);
    private static final int SOME = 150;
    private static final int FAR_INTO_A_BODY = 20_000;

    private enum Kind {
        SERVER_ERROR,
        UNAVAILABLE,
        SLOW_DOWN_BURST,
        CLOCK_SKEW,
        FORBIDDEN,
        RESET_REQUEST,
        LOST_ANSWER,
        CUT_ANSWER,
        RESET_ANSWER,
        STALLED_REQUEST,
        STALLED_ANSWER
    }

    private final FaultyWire wire;
    // All guarded by this.
    private final Random random;
    private final Map<Kind, Integer> counts = new EnumMap<>(Kind.class);
    private boolean bad;
    private long burstEnd;
    private int stalls;
    private int lostCompletions;
    private int refusals;

    StormyWeather(int port, long seed) throws IOException {
        this.wire = new FaultyWire(port);
        this.random = new Random(seed);
        wire.weather(this::decide);
    }

    URI endpoint() {
        return wire.endpoint();
    }

    synchronized int faults() {
        return counts.values().stream().mapToInt(n -> n).sum();
    }

    synchronized String report() {
        return wire.requests().size() + " requests, faults " + counts + ", of the lost answers " + lostCompletions
                + " of a finished upload in parts, " + refusals + " spells of refused connections";
    }

    private synchronized Optional<Fault> decide(FaultyWire.Request request) {
        if (!bad) {
            return Optional.empty();
        }
        if (System.nanoTime() - burstEnd < 0) {
            return Optional.of(Fault.Answer.error(503, "SlowDown"));
        }
        boolean completion = request.method().equals("POST") && request.target().contains("uploadId=");
        if (completion && lostCompletions == 0) {
            // There are few of them: the first one always.
            lostCompletions++;
            return counted(Kind.LOST_ANSWER, new Fault.LoseAnswer());
        }
        if (random.nextInt(1000) >= FAULTS_OF_THOUSAND) {
            return Optional.empty();
        }
        Kind kind = Kind.values()[random.nextInt(Kind.values().length)];
        int far = random.nextInt(FAR_INTO_A_BODY);
        return switch (kind) {
            case SERVER_ERROR -> counted(kind, Fault.Answer.error(500, "InternalError"));
            case UNAVAILABLE -> counted(kind, Fault.Answer.error(503, "ServiceUnavailable"));
            case SLOW_DOWN_BURST -> {
                burstEnd = System.nanoTime() + BURST_NANOS;
                yield counted(kind, Fault.Answer.error(503, "SlowDown"));
            }
            case CLOCK_SKEW -> counted(kind, Fault.Answer.error(403, "RequestTimeTooSkewed"));
            case FORBIDDEN -> counted(kind, Fault.Answer.error(403, "AccessDenied"));
            case RESET_REQUEST -> counted(kind, new Fault.ResetRequest(far));
            case LOST_ANSWER -> {
                lostCompletions += completion ? 1 : 0;
                yield counted(kind, new Fault.LoseAnswer());
            }
            case CUT_ANSWER -> counted(kind, new Fault.CutAnswer(far));
            case RESET_ANSWER -> counted(kind, new Fault.ResetAnswer(far));
            case STALLED_REQUEST -> stall(kind, new Fault.StallRequest());
            case STALLED_ANSWER -> stall(kind, new Fault.StallAnswer(far));
        };
    }

    private Optional<Fault> stall(Kind kind, Fault fault) {
        return stalls++ < STALLS_MAX ? counted(kind, fault) : Optional.empty();
    }

    private Optional<Fault> counted(Kind kind, Fault fault) {
        counts.merge(kind, 1, Integer::sum);
        return Optional.of(fault);
    }

    @Override
    public synchronized void refuse() throws IOException {
        refusals++;
        wire.refuse();
    }

    @Override
    public synchronized void turnBad() throws IOException {
        wire.answer();
        bad = true;
    }

    @Override
    public void awaitSome() {
        int goal = wire.requests().size() + SOME;
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .until(() -> wire.requests().size() >= goal);
    }

    @Override
    public synchronized boolean isBad() {
        return bad;
    }

    @Override
    public synchronized void clear() {
        bad = false;
    }

    @Override
    public void close() throws IOException {
        wire.close();
    }
}
