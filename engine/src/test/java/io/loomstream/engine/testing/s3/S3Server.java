package io.loomstream.engine.testing.s3;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
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

    private S3Server(S3Proxy proxy, AtomicConditions store) {
        this.proxy = proxy;
        this.store = store;
    }

    /** Keeps objects in memory. */
    public static S3Server inMemory() throws Exception {
        return start(new TransientNio2BlobStore());
    }

    /** Keeps objects in a directory, which must exist. */
    public static S3Server in(Path directory) throws Exception {
        return start(new FilesystemNio2BlobStore(directory.toString()));
    }

    private static S3Server start(BlobStore blobs) throws Exception {
        AtomicConditions store = new AtomicConditions(blobs);
        if (!store.containerExists(BUCKET)) {
            store.createContainer(BUCKET);
        }
        S3Proxy proxy = S3Proxy.builder()
                .blobStore(store)
                .endpoint(URI.create("http://127.0.0.1:0"))
                .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY_ID, SECRET_ACCESS_KEY)
                .ignoreUnknownHeaders(true)
                .v4MaxNonChunkedRequestSize(1L << 30)
                .jettyMaxThreads(256)
                .build();
        proxy.start();
        return new S3Server(proxy, store);
    }

    public int port() {
        return proxy.getPort();
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + port());
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
