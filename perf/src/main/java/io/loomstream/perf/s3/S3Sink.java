package io.loomstream.perf.s3;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.LongAdder;

/** Takes uploads as S3 does and forgets the bytes: for measuring clients with more data than a disk should hold. */
final class S3Sink implements AutoCloseable {
    private final HttpServer server;
    private final LongAdder received = new LongAdder();
    private final Set<String> keys = ConcurrentHashMap.newKeySet();

    S3Sink() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 512);
        server.createContext("/", this::serve);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** Body bytes so far. */
    long receivedBytes() {
        return received.sum();
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            received.add(exchange.getRequestBody().transferTo(OutputStream.nullOutputStream()));
            String query = exchange.getRequestURI().getRawQuery();
            boolean part = query != null && query.contains("partNumber");
            boolean begin = query != null && query.startsWith("uploads");
            boolean conditional = exchange.getRequestHeaders().containsKey("If-None-Match");
            if (conditional && !keys.add(exchange.getRequestURI().getPath())) {
                answer(exchange, 412, "<Error><Code>PreconditionFailed</Code></Error>");
            } else if (begin) {
                answer(
                        exchange,
                        200,
                        "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>");
            } else if (exchange.getRequestMethod().equals("POST")) {
                answer(
                        exchange,
                        200,
                        "<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>");
            } else {
                exchange.getResponseHeaders().set("ETag", part ? "\"part\"" : "\"object\"");
                answer(exchange, 200, "");
            }
        }
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        if (bytes.length > 0) {
            exchange.getResponseBody().write(bytes);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
