package io.loomstream.admin.metrics;

import io.loomstream.engine.concurrent.DurationHistogram;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.UnknownSnapshot;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Collects the families of one scrape. For one thread. A family without values is not shown. */
final class Families {
    private final List<MetricSnapshot> done = new ArrayList<>();

    /** The values of one family, by their labels; a value given twice for the same labels is added up. */
    static final class Values {
        private final Map<Labels, Double> values = new LinkedHashMap<>();

        private Values() {}

        /** @param labels names and values in turn */
        Values add(double value, String... labels) {
            values.merge(Labels.of(labels), value, Double::sum);
            return this;
        }

        /** Exact up to 2^53, more than any of these counts reaches. */
        Values add(long value, String... labels) {
            return add((double) value, labels);
        }
    }

    /** What fills a family. */
    interface Filler {
        void fill(Values values);
    }

    private static Map<Labels, Double> filled(Filler filler) {
        Values values = new Values();
        filler.fill(values);
        return values.values;
    }

    void gauge(String name, String help, Filler filler) {
        GaugeSnapshot.Builder family = GaugeSnapshot.builder().name(name).help(help);
        Map<Labels, Double> values = filled(filler);
        values.forEach(
                (labels, value) -> family.dataPoint(new GaugeSnapshot.GaugeDataPointSnapshot(value, labels, null)));
        if (!values.isEmpty()) {
            done.add(family.build());
        }
    }

    void gauge(String name, String help, long value) {
        gauge(name, help, values -> values.add(value));
    }

    /** @param name without {@code _total}, which the library adds */
    void counter(String name, String help, Filler filler) {
        CounterSnapshot.Builder family = CounterSnapshot.builder().name(name).help(help);
        Map<Labels, Double> values = filled(filler);
        values.forEach((labels, value) ->
                family.dataPoint(new CounterSnapshot.CounterDataPointSnapshot(value, labels, null, 0)));
        if (!values.isEmpty()) {
            done.add(family.build());
        }
    }

    void counter(String name, String help, double value) {
        counter(name, help, values -> values.add(value));
    }

    /** A counter whose name must not end in {@code _total}; the library has no such thing but for this type. */
    void untyped(String name, String help, Filler filler) {
        UnknownSnapshot.Builder family = UnknownSnapshot.builder().name(name).help(help);
        Map<Labels, Double> values = filled(filler);
        values.forEach(
                (labels, value) -> family.dataPoint(new UnknownSnapshot.UnknownDataPointSnapshot(value, labels, null)));
        if (!values.isEmpty()) {
            done.add(family.build());
        }
    }

    /** Histograms with one label; several of the same label value are added up. */
    void histogram(String name, String help, String label, Map<String, DurationHistogram.Snapshot> values) {
        HistogramSnapshot.Builder family =
                HistogramSnapshot.builder().name(name).help(help);
        values.forEach((value, durations) -> family.dataPoint(point(durations, Labels.of(label, value))));
        if (!values.isEmpty()) {
            done.add(family.build());
        }
    }

    void histogram(String name, String help, DurationHistogram.Snapshot durations) {
        done.add(HistogramSnapshot.builder()
                .name(name)
                .help(help)
                .dataPoint(point(durations, Labels.EMPTY))
                .build());
    }

    private static HistogramSnapshot.HistogramDataPointSnapshot point(
            DurationHistogram.Snapshot durations, Labels labels) {
        double[] bounds = java.util.Arrays.copyOf(durations.upperSeconds(), durations.counts().length);
        bounds[bounds.length - 1] = Double.POSITIVE_INFINITY;
        return new HistogramSnapshot.HistogramDataPointSnapshot(
                ClassicHistogramBuckets.of(bounds, durations.counts()), durations.sumSeconds(), labels, null, 0);
    }

    MetricSnapshots done() {
        return new MetricSnapshots(done);
    }
}
