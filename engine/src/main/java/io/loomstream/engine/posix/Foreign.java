package io.loomstream.engine.posix;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Array;
import java.nio.Buffer;
import java.util.Optional;

/**
 * The few parts of {@code java.lang.foreign} we need, reached by reflection: the API is final since Java 22 and present
 * but hidden from {@code --release 21} code on 21, where it behaves the same. So one class file serves every JDK from 21
 * on (docs/decisions/0001-native-calls.md).
 *
 * <p>Every function is called with one shape, five {@code long} arguments and a {@code long} result: on the 64-bit
 * System V and AArch64 calling conventions integers and pointers travel in the same registers and surplus arguments are
 * ignored. One shape means one stub to generate, which keeps the start short.
 */
final class Foreign {
    private static final int LONG_ARGUMENTS = 5;

    private final Object linker;
    private final Class<?> linkerType;
    private final Class<?> segmentType;
    private final MethodHandle call;

    private Foreign(Object linker, Class<?> linkerType, Class<?> segmentType, MethodHandle call) {
        this.linker = linker;
        this.linkerType = linkerType;
        this.segmentType = segmentType;
        this.call = call;
    }

    /** Empty when this JVM has no foreign linker, or may not use it. */
    static Optional<Foreign> load() {
        try {
            Class<?> linkerType = Class.forName("java.lang.foreign.Linker");
            Class<?> optionType = Class.forName("java.lang.foreign.Linker$Option");
            Class<?> descriptorType = Class.forName("java.lang.foreign.FunctionDescriptor");
            Class<?> layoutType = Class.forName("java.lang.foreign.MemoryLayout");
            Object longLayout = Class.forName("java.lang.foreign.ValueLayout")
                    .getField("JAVA_LONG")
                    .get(null);

            Object arguments = Array.newInstance(layoutType, LONG_ARGUMENTS);
            for (int i = 0; i < LONG_ARGUMENTS; i++) {
                Array.set(arguments, i, longLayout);
            }
            Object descriptor = descriptorType
                    .getMethod("of", layoutType, arguments.getClass())
                    .invoke(null, longLayout, arguments);
            Object options = Array.newInstance(optionType, 2);
            Array.set(
                    options,
                    0,
                    optionType.getMethod("captureCallState", String[].class).invoke(null, (Object)
                            new String[] {"errno"}));
            // open and fcntl are variadic after their second argument; for the others this changes nothing.
            Array.set(
                    options,
                    1,
                    optionType.getMethod("firstVariadicArg", int.class).invoke(null, 2));

            Object linker = linkerType.getMethod("nativeLinker").invoke(null);
            MethodHandle call = (MethodHandle) linkerType
                    .getMethod("downcallHandle", descriptorType, options.getClass())
                    .invoke(linker, descriptor, options);
            Class<?> segmentType = Class.forName("java.lang.foreign.MemorySegment");
            return Optional.of(new Foreign(linker, linkerType, segmentType, call));
        } catch (ReflectiveOperationException
                | IllegalCallerException
                | UnsupportedOperationException
                | LinkageError e) {
            return Optional.empty();
        }
    }

    /**
     * A C function as {@code (Object errnoSegment, long, long, long, long, long) -> long}.
     *
     * @throws ReflectiveOperationException when libc has no such function
     */
    MethodHandle function(String name) throws ReflectiveOperationException {
        Object lookup = linkerType.getMethod("defaultLookup").invoke(linker);
        Object found = Class.forName("java.lang.foreign.SymbolLookup")
                .getMethod("find", String.class)
                .invoke(lookup, name);
        Object symbol = ((Optional<?>) found).orElseThrow(() -> new NoSuchMethodException("libc has no " + name));
        return MethodHandles.insertArguments(call, 0, symbol)
                .asType(MethodType.methodType(
                        long.class, Object.class, long.class, long.class, long.class, long.class, long.class));
    }

    /** A segment over a direct buffer, as the first argument of a function. */
    Object segment(Buffer direct) throws ReflectiveOperationException {
        return segmentType.getMethod("ofBuffer", Buffer.class).invoke(null, direct);
    }

    long address(Object segment) throws ReflectiveOperationException {
        return (long) segmentType.getMethod("address").invoke(segment);
    }
}
