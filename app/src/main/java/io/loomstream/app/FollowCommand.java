package io.loomstream.app;

import io.loomstream.engine.follow.Follower;
import io.loomstream.engine.restore.RestoreOutcome;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code restore -f}: restores, then follows until SIGTERM or SIGINT. */
final class FollowCommand {
    private FollowCommand() {}

    /** Returns empty after a stop, else why there is nothing to follow. */
    static Optional<RestoreOutcome> run(Follower follower, Path output) throws InterruptedException {
        Logger log = LoggerFactory.getLogger(FollowCommand.class);
        AtomicBoolean following = new AtomicBoolean();
        AtomicBoolean stopping = new AtomicBoolean();
        Thread main = Thread.currentThread();
        TerminationSignals.handle(signal -> {
            follower.stop();
            if (following.get() && stopping.compareAndSet(false, true)) {
                log.info("{} received, stopping", signal);
            } else {
                // The first restore, where nothing has its name yet; or the second signal: a step that is cut short is
                // undone by whoever opens the database next.
                main.interrupt();
            }
        });
        switch (follower.prepare()) {
            case Follower.Start.NotRestored(RestoreOutcome why) -> {
                return Optional.of(why);
            }
            case Follower.Start.Ready ready ->
                log.atInfo()
                        .addKeyValue("path", output)
                        .addKeyValue("txid", ready.at())
                        .log(ready.resumed() ? "following on" : "restored, following");
        }
        following.set(true);
        follower.run();
        log.atInfo().addKeyValue("path", output).log("stopped");
        return Optional.empty();
    }
}
