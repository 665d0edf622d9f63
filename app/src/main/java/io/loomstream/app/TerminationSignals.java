package io.loomstream.app;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/**
 * SIGTERM and SIGINT. The JVM's own reaction, running shutdown hooks, leaves no say over the exit status and no second
 * signal. The class that gives both is supported ({@code jdk.unsupported}) but warned about by every compiler, hence
 * reflection.
 */
final class TerminationSignals {
    private TerminationSignals() {}

    /** From now on runs {@code handler}, with the signal's name, on a thread of the JVM's for every such signal. */
    static void handle(java.util.function.Consumer<String> handler) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
            Object proxy = Proxy.newProxyInstance(
                    TerminationSignals.class.getClassLoader(),
                    new Class<?>[] {handlerType},
                    (self, method, arguments) -> {
                        if (!method.getName().equals("handle")) {
                            return method.invoke(handler, arguments);
                        }
                        Object name = signal.getMethod("getName").invoke(arguments[0]);
                        handler.accept("SIG" + name);
                        return null;
                    });
            for (String name : new String[] {"TERM", "INT"}) {
                Object one = signal.getConstructor(String.class).newInstance(name);
                signal.getMethod("handle", signal, handlerType).invoke(null, one, proxy);
            }
        } catch (InvocationTargetException | IllegalArgumentException taken) {
            throw new IllegalStateException("cannot handle SIGTERM; was the JVM started with -Xrs?", taken);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JVM has no sun.misc.Signal", e);
        }
    }
}
