package io.loomstream.engine.testing.s3;

import java.util.List;

/** What happens to one request on its way, or to its answer on the way back. */
public sealed interface Fault {
    /**
     * The server never sees the request; this is answered.
     *
     * @param headers lines beyond those that the body needs
     */
    record Answer(int status, String body, List<String> headers) implements Fault {
        public Answer(int status, String body) {
            this(status, body, List.of());
        }

        /** An error as S3 words it. */
        public static Answer error(int status, String code) {
            return new Answer(status, "<Error><Code>" + code + "</Code><Message>scripted</Message></Error>");
        }
    }

    /** The connection is reset when this much of the request's body has arrived. */
    record ResetRequest(long afterBytes) implements Fault {}

    /** The server does what it is asked; its answer is lost with the connection. */
    record LoseAnswer() implements Fault {}

    /** The server's answer ends, with an orderly close, after this much of its body. */
    record CutAnswer(long afterBytes) implements Fault {}

    /** The connection is reset after this much of the answer's body. */
    record ResetAnswer(long afterBytes) implements Fault {}

    /** Neither the request's body is read nor anything answered, for as long as the client bears it. */
    record StallRequest() implements Fault {}

    /** The answer stops after this much of its body, for as long as the client bears it. */
    record StallAnswer(long afterBytes) implements Fault {}
}
