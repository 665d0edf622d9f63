package io.loomstream.perf;

/** What the way to the replicas is like. */
interface Weather {
    /** Always fine. */
    Weather NONE = new Weather() {
        @Override
        public void refuse() {}

        @Override
        public void turnBad() {}

        @Override
        public void awaitSome() {}

        @Override
        public void clear() {}

        @Override
        public boolean isBad() {
            return false;
        }
    };

    /** From now on nothing gets through. */
    void refuse() throws Exception;

    /** From now on some requests fail. */
    void turnBad() throws Exception;

    /** Until some more requests were made. */
    void awaitSome() throws Exception;

    /** From now on none does. */
    void clear() throws Exception;

    /** Whether some requests fail. */
    boolean isBad();
}
