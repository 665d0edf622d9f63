package io.loomstream.engine.replica.s3;

import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.error.StorageRefusedException;
import io.loomstream.engine.error.TransientStorageException;
import java.io.IOException;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

/** Why a request failed, by what can be done about it. The only place that reads the SDK's exceptions. */
final class S3Failure extends Exception {
    private static final long serialVersionUID = 1L;

    private static final Set<String> THROTTLES = Set.of(
            "SlowDown",
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "RequestLimitExceeded",
            "TooManyRequests",
            "TooManyRequestsException",
            "BandwidthLimitExceeded",
            "ServiceUnavailable");

    /** Answered with 400 or 403, yet the very same request succeeds later: a slow body, a clock that is corrected. */
    private static final Set<String> PASSING = Set.of(
            "RequestTimeout", "RequestTimeoutException", "RequestTimeTooSkewed", "OperationAborted", "IncompleteBody");

    enum Kind {
        /** The store asks for less. */
        THROTTLED,
        /** No answer, a broken one, or the store's own fault. */
        TRANSIENT,
        /** We may not, or it cannot be; trying again will not help. */
        REFUSED,
        /** No such object, or no such upload. */
        MISSING,
        /** If-None-Match or If-Match did not hold. */
        PRECONDITION,
        /** The range begins at or after the object's end. */
        RANGE,
        /** The local file could not be read; the store is not to blame. */
        LOCAL
    }

    private final Kind kind;
    private final String code;

    S3Failure(Kind kind, String code, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
        this.code = code;
    }

    Kind kind() {
        return kind;
    }

    /** The store's error code, or the name of the exception where there was no answer. */
    String code() {
        return code;
    }

    /** The same failure, understood otherwise by who knows more. */
    S3Failure as(Kind other) {
        return new S3Failure(other, code, String.valueOf(getMessage()), this);
    }

    /** Whether the store says that the request makes no sense, rather than that we may not. */
    boolean malformed() {
        return kind == Kind.REFUSED && getCause() instanceof AwsServiceException answer && answer.statusCode() == 400;
    }

    boolean retryable() {
        return kind == Kind.THROTTLED || kind == Kind.TRANSIENT;
    }

    static S3Failure of(Throwable thrown) {
        if (thrown instanceof S3Failure already) {
            return already;
        }
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof FileBody.ReadFailedException unreadable) {
                return new S3Failure(Kind.LOCAL, "local", String.valueOf(unreadable.getMessage()), thrown);
            }
            if (cause instanceof AwsServiceException answered) {
                return answered(answered);
            }
        }
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof IOException) {
                String name = cause.getClass().getSimpleName();
                return new S3Failure(Kind.TRANSIENT, name, name + ": " + cause.getMessage(), thrown);
            }
        }
        // Not sent at all: no credentials, or a request that the SDK will not build.
        return new S3Failure(
                Kind.REFUSED, thrown.getClass().getSimpleName(), String.valueOf(thrown.getMessage()), thrown);
    }

    private static S3Failure answered(AwsServiceException answer) {
        int status = answer.statusCode();
        String code =
                answer.awsErrorDetails() == null || answer.awsErrorDetails().errorCode() == null
                        ? "HTTP " + status
                        : answer.awsErrorDetails().errorCode();
        return new S3Failure(kind(status, code), code, status + " " + text(answer, code), answer);
    }

    private static String text(AwsServiceException answer, String code) {
        String message = answer.awsErrorDetails() == null
                ? null
                : answer.awsErrorDetails().errorMessage();
        String id = answer.requestId() == null ? "" : " (request " + answer.requestId() + ")";
        return code + (message == null ? "" : ": " + message) + id;
    }

    private static Kind kind(int status, String code) {
        if (THROTTLES.contains(code) || status == 429 || status == 503) {
            return Kind.THROTTLED;
        }
        if (PASSING.contains(code)) {
            return Kind.TRANSIENT;
        }
        return switch (status) {
            case 404 -> code.equals("NoSuchBucket") ? Kind.REFUSED : Kind.MISSING;
            case 412 -> Kind.PRECONDITION;
            case 416 -> Kind.RANGE;
            // 409: another conditional write to the key is under way.
            case 408, 409 -> Kind.TRANSIENT;
            // A bucket made a moment ago is sent elsewhere until all of S3 knows it.
            case 307 -> Kind.TRANSIENT;
            // Another redirection is a wrong region or endpoint.
            default -> status >= 300 && status < 500 ? Kind.REFUSED : Kind.TRANSIENT;
        };
    }

    /** As the engine knows it; {@code what} says what was tried, on which object. */
    EngineException toEngine(String what) {
        String message = what + ": " + getMessage();
        return switch (kind) {
            case THROTTLED, TRANSIENT, LOCAL -> new TransientStorageException(message, this);
            case REFUSED, MISSING, PRECONDITION, RANGE -> new StorageRefusedException(message, this);
        };
    }
}
