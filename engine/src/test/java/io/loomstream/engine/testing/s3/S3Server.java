package io.loomstream.engine.testing.s3;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Objects;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.blobstore.BlobStore;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;

/**
 * S3Proxy on a free port of this machine, with one bucket. Signatures are checked. S3Proxy itself looks for the object and
 * writes it in two steps, so {@link AtomicConditions} stands between: conditional writes are as atomic as S3's.
 */
public final class S3Server implements AutoCloseable {
    public static final String BUCKET = "fixture";
    public static final String ACCESS_KEY_ID = "local-identity";
    public static final String SECRET_ACCESS_KEY = "local-credential-canary";

    private final S3Proxy proxy;
    private final AtomicConditions store;
    private final boolean tls;

    private S3Server(S3Proxy proxy, AtomicConditions store, boolean tls) {
        this.proxy = proxy;
        this.store = store;
        this.tls = tls;
    }

    /** Keeps objects in memory. */
    public static S3Server inMemory() throws Exception {
        return start(new TransientNio2BlobStore());
    }

    /** Keeps objects in a directory, which must exist. */
    public static S3Server in(Path directory) throws Exception {
        return start(new FilesystemNio2BlobStore(directory.toString()));
    }

    /** Keeps objects in memory and speaks TLS only, with a certificate that nobody vouches for. */
    public static S3Server inMemoryWithTls() throws Exception {
        return start(new TransientNio2BlobStore(), true);
    }

    private static S3Server start(BlobStore blobs) throws Exception {
        return start(blobs, false);
    }

    private static S3Server start(BlobStore blobs, boolean tls) throws Exception {
        AtomicConditions store = new AtomicConditions(blobs);
        if (!store.containerExists(BUCKET)) {
            store.createContainer(BUCKET);
        }
        S3Proxy.Builder builder = S3Proxy.builder();
        if (tls) {
            builder.secureEndpoint(URI.create("https://127.0.0.1:0")).keyStore(keyStore(), "self-signed");
        } else {
            builder.endpoint(URI.create("http://127.0.0.1:0"));
        }
        S3Proxy proxy = builder.blobStore(store)
                .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY_ID, SECRET_ACCESS_KEY)
                .ignoreUnknownHeaders(true)
                .v4MaxNonChunkedRequestSize(1L << 30)
                .jettyMaxThreads(256)
                .build();
        proxy.start();
        return new S3Server(proxy, store, tls);
    }

    /** Made by keytool -genkeypair -keyalg EC -validity 36500, alias s3, for CN=not-this-host. */
    private static String keyStore() {
        return Objects.requireNonNull(S3Server.class.getResource("self-signed.p12"), "self-signed.p12")
                .toString();
    }

    public int port() {
        return tls ? proxy.getSecurePort() : proxy.getPort();
    }

    public URI endpoint() {
        return URI.create((tls ? "https" : "http") + "://127.0.0.1:" + port());
    }

    /** What is stored, behind the protocol's back. */
    public BlobStore store() {
        return store;
    }

    @Override
    public void close() throws IOException {
        try {
            proxy.stop();
        } catch (Exception e) {
            throw new IOException("the S3 server did not stop", e);
        }
        store.close();
    }
}
