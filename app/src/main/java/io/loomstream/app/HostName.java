package io.loomstream.app;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** This host's name. */
final class HostName {
    private HostName() {}

    static String get() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown";
        }
    }
}
