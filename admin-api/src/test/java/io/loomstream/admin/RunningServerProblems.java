package io.loomstream.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.net.http.HttpResponse;

/** What every refusal has in common. */
final class RunningServerProblems {
    private RunningServerProblems() {}

    static void assertProblem(int status, HttpResponse<String> response) throws IOException {
        assertEquals(status, response.statusCode(), response.body());
        assertEquals(
                Problem.CONTENT_TYPE,
                response.headers().firstValue("Content-Type").orElse(""));
        assertEquals(String.valueOf(status), RunningServer.field(response.body(), "status"));
        assertFalse(response.body().contains("Exception"), response.body());
        assertFalse(response.body().contains("\tat "), response.body());
        assertEquals(
                "nosniff",
                response.headers().firstValue("X-Content-Type-Options").orElse(""));
    }
}
