package io.loomstream.engine.replica.s3;

/** The requests we send, by the names the store's bill uses. */
public enum S3Operation {
    PUT,
    GET,
    HEAD,
    LIST,
    DELETE,
    CREATE_MULTIPART,
    UPLOAD_PART,
    COMPLETE_MULTIPART,
    ABORT_MULTIPART,
    /** Asks a bucket for its region. */
    HEAD_BUCKET
}
