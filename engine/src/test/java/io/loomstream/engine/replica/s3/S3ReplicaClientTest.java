package io.loomstream.engine.replica.s3;

import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaClientContract;
import io.loomstream.engine.testing.s3.S3Server;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** The S3 backend: the contract, and what only a bucket can show. */
class S3ReplicaClientTest extends ReplicaClientContract {
    private S3Server server;
    private S3Endpoints endpoints;

    @BeforeEach
    void start() throws Exception {
        server = S3Server.inMemory();
        endpoints = S3Setup.endpoints();
    }

    @AfterEach
    void stop() throws Exception {
        endpoints.close();
        server.close();
    }

    @Override
    protected ReplicaClient client() {
        return endpoints.replica(S3Setup.settings(server.endpoint()).build());
    }
}
