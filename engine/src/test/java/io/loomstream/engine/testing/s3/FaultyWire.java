package io.loomstream.engine.testing.s3;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Stands between a client and an HTTP/1.1 server on this machine, passes requests on and does to them what the script says.
 * Counts connections and requests. A scripted fault is used up by the first request that it fits.
 */
public final class FaultyWire implements AutoCloseable {
    private final int serverPort;
    private final int port;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger connections = new AtomicInteger();
    private final ReentrantLock lock = new ReentrantLock();
    // All guarded by lock.
    private final List<Scripted> script = new ArrayList<>();
    private final List<Request> requests = new ArrayList<>();
    private Consumer<Request> arrivals = requests::add;
    private volatile ServerSocket listener;
    private volatile Function<Request, Optional<Fault>> weather = request -> Optional.empty();

    /** A request's first line, and its header lines as they came. */
    public record Request(String method, String target, List<String> headers) {
        /** The value of a header, whatever the case of its name. */
        public Optional<String> header(String name) {
            String start = name.toLowerCase(Locale.ROOT) + ":";
            return headers.stream()
                    .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(start))
                    .map(line -> line.substring(start.length()).strip())
                    .findFirst();
        }

        /** As the store bills it. */
        @Override
        public String toString() {
            return method + " " + target;
        }
    }

    private record Scripted(Predicate<Request> fits, Fault fault) {}

    public FaultyWire(int serverPort) throws IOException {
        this.serverPort = serverPort;
        this.listener = listen(0);
        this.port = listener.getLocalPort();
        threads.execute(this::accept);
    }

    private static ServerSocket listen(int port) throws IOException {
        ServerSocket socket = new ServerSocket();
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 512);
        return socket;
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + port);
    }

    /** Does this to the next request that fits and has no fault yet. */
    public void script(Predicate<Request> fits, Fault fault) {
        lock.lock();
        try {
            script.add(new Scripted(fits, fault));
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #script(Predicate, Fault)}, for requests of one method. */
    public void script(String method, Fault fault) {
        script(request -> request.method().equals(method), fault);
    }

    /** From now on decides about every request that no scripted fault fits; called by many threads. */
    public void weather(Function<Request, Optional<Fault>> decides) {
        weather = decides;
    }

    /** Connections are reset and new ones refused, until {@link #answer()}. */
    public void refuse() throws IOException {
        listener.close();
        for (Socket socket : open) {
            try {
                socket.setSoLinger(true, 0);
                socket.close();
            } catch (SocketException closedByItself) {
                // That is what was wanted.
            }
        }
    }

    /** Ends {@link #refuse()}. */
    public void answer() throws IOException {
        listener = listen(port);
        threads.execute(this::accept);
    }

    /** How many scripted faults have not happened. */
    public int pending() {
        lock.lock();
        try {
            return script.size();
        } finally {
            lock.unlock();
        }
    }

    /** Has requests told one at a time, under a lock, and not kept: there may be millions of them. */
    public void tellInstead(Consumer<Request> listener) {
        lock.lock();
        try {
            arrivals = listener;
        } finally {
            lock.unlock();
        }
    }

    /** All requests that were kept, in the order of their arrival. */
    public List<Request> requests() {
        lock.lock();
        try {
            return List.copyOf(requests);
        } finally {
            lock.unlock();
        }
    }

    /** How many connections clients have opened. */
    public int connections() {
        return connections.get();
    }

    private void accept() {
        ServerSocket here = listener;
        while (true) {
            try {
                Socket client = here.accept();
                connections.incrementAndGet();
                open.add(client);
                threads.execute(() -> serve(client));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket client) {
        try (client;
                Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort)) {
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            open.add(server);
            Wire wire = new Wire(
                    client,
                    new BufferedInputStream(client.getInputStream(), 64 << 10),
                    new BufferedOutputStream(client.getOutputStream(), 64 << 10),
                    new BufferedInputStream(server.getInputStream(), 64 << 10),
                    new BufferedOutputStream(server.getOutputStream(), 64 << 10));
            while (exchange(wire)) {}
            open.remove(server);
        } catch (IOException gone) {
            // One side went away, as clients do that give up.
        } finally {
            open.remove(client);
        }
    }

    private record Wire(
            Socket client,
            InputStream fromClient,
            OutputStream toClient,
            InputStream fromServer,
            OutputStream toServer) {}

    /** One request and its answer; false when the connection is of no more use. */
    private boolean exchange(Wire wire) throws IOException {
        List<String> head = readHead(wire.fromClient());
        if (head.isEmpty()) {
            return false;
        }
        String[] line = head.get(0).split(" ", 3);
        Request request = new Request(line[0], line[1], List.copyOf(head.subList(1, head.size())));
        long bodyBytes = length(head, 0);
        Fault fault = faultFor(request);
        switch (fault) {
            case Fault.Answer answer -> {
                copy(wire.fromClient(), OutputStream.nullOutputStream(), bodyBytes);
                byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
                List<String> answered = new ArrayList<>(answer.headers());
                answered.add(0, "HTTP/1.1 " + answer.status() + " Scripted");
                answered.add("Content-Type: application/xml");
                answered.add("Content-Length: " + (request.method().equals("HEAD") ? 0 : body.length));
                writeHead(wire.toClient(), answered);
                if (!request.method().equals("HEAD")) {
                    wire.toClient().write(body);
                }
                wire.toClient().flush();
                return true;
            }
            case Fault.ResetRequest reset -> {
                copy(wire.fromClient(), OutputStream.nullOutputStream(), Math.min(bodyBytes, reset.afterBytes()));
                return reset(wire);
            }
            case Fault.StallRequest stall -> {
                return stall(wire);
            }
            case null, default -> {}
        }
        writeHead(wire.toServer(), head);
        copy(wire.fromClient(), wire.toServer(), bodyBytes);
        wire.toServer().flush();
        return answer(wire, request, fault);
    }

    private boolean answer(Wire wire, Request request, Fault fault) throws IOException {
        List<String> head = readHead(wire.fromServer());
        if (head.isEmpty()) {
            return false;
        }
        boolean chunked =
                head.stream().anyMatch(line -> line.toLowerCase(Locale.ROOT).equals("transfer-encoding: chunked"));
        ByteArrayOutputStream unchunked = new ByteArrayOutputStream();
        if (chunked) {
            readChunks(wire.fromServer(), unchunked);
            head = new ArrayList<>(head);
            head.removeIf(line -> line.toLowerCase(Locale.ROOT).startsWith("transfer-encoding:"));
            head.add("Content-Length: " + unchunked.size());
        }
        InputStream body = chunked ? new ByteArrayInputStream(unchunked.toByteArray()) : wire.fromServer();
        long bodyBytes = request.method().equals("HEAD") ? 0 : length(head, 0);
        if (fault instanceof Fault.LoseAnswer) {
            copy(body, OutputStream.nullOutputStream(), bodyBytes);
            return reset(wire);
        }
        long cut = switch (fault) {
            case Fault.CutAnswer at -> at.afterBytes();
            case Fault.ResetAnswer at -> at.afterBytes();
            case Fault.StallAnswer at -> at.afterBytes();
            case null, default -> bodyBytes;
        };
        writeHead(wire.toClient(), head);
        copy(body, wire.toClient(), Math.min(cut, bodyBytes));
        wire.toClient().flush();
        return switch (fault) {
            case Fault.CutAnswer at -> false;
            case Fault.ResetAnswer at -> reset(wire);
            case Fault.StallAnswer at -> stall(wire);
            case null, default -> true;
        };
    }

    private static boolean reset(Wire wire) throws IOException {
        wire.client().setSoLinger(true, 0);
        wire.client().close();
        return false;
    }

    /** Until the client closes the connection. */
    private static boolean stall(Wire wire) throws IOException {
        try {
            // Its socket's buffers fill up meanwhile, since nobody reads; only its end is waited for.
            while (!wire.client().isClosed() && alive(wire.client())) {
                TimeUnit.MILLISECONDS.sleep(20);
            }
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
        return false;
    }

    /** Urgent data that nobody looks at: the only way to learn of a reset without reading. */
    private static boolean alive(Socket client) {
        try {
            client.sendUrgentData(0);
            return true;
        } catch (IOException gone) {
            return false;
        }
    }

    private Fault faultFor(Request request) {
        lock.lock();
        try {
            arrivals.accept(request);
            for (Iterator<Scripted> all = script.iterator(); all.hasNext(); ) {
                Scripted scripted = all.next();
                if (scripted.fits().test(request)) {
                    all.remove();
                    return scripted.fault();
                }
            }
        } finally {
            lock.unlock();
        }
        return weather.apply(request).orElse(null);
    }

    /** The lines of a head without the empty one; empty at the connection's end. */
    private static List<String> readHead(InputStream in) throws IOException {
        List<String> lines = new ArrayList<>();
        while (true) {
            String line = readLine(in);
            if (line == null) {
                return List.of();
            }
            if (line.isEmpty()) {
                return lines;
            }
            lines.add(line);
        }
    }

    private static String readLine(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int octet = in.read(); octet != '\n'; octet = in.read()) {
            if (octet < 0) {
                return null;
            }
            if (octet != '\r') {
                line.write(octet);
            }
        }
        return line.toString(StandardCharsets.ISO_8859_1);
    }

    private static void readChunks(InputStream in, OutputStream out) throws IOException {
        while (true) {
            String size = readLine(in);
            if (size == null) {
                throw new EOFException("in a chunk");
            }
            int bytes = Integer.parseInt(size.split(";", 2)[0].strip(), 16);
            copy(in, out, bytes);
            readLine(in);
            if (bytes == 0) {
                return;
            }
        }
    }

    private static long length(List<String> head, long absent) {
        for (String line : head) {
            if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                return Long.parseLong(line.substring("content-length:".length()).strip());
            }
        }
        return absent;
    }

    private static void writeHead(OutputStream out, List<String> head) throws IOException {
        out.write((String.join("\r\n", head) + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
    }

    private static void copy(InputStream in, OutputStream out, long bytes) throws IOException {
        byte[] buffer = new byte[16 << 10];
        for (long left = bytes; left > 0; ) {
            int count = in.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (count < 0) {
                throw new EOFException(left + " bytes are missing");
            }
            out.write(buffer, 0, count);
            left -= count;
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket socket : open) {
            socket.close();
        }
        threads.shutdownNow();
    }
}
