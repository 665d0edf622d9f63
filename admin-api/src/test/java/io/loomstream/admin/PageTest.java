package io.loomstream.admin;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.ElementHandle;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import io.loomstream.engine.testing.SmallFleet;
import io.loomstream.engine.testing.Tools;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The page in a real browser, over a running server with real databases. */
class PageTest {
    private static Optional<Playwright> playwright = Optional.empty();
    private static Browser browser;

    @TempDir
    Path directory;

    private SmallFleet fleet;
    private Optional<RunningServer> running = Optional.empty();
    private Optional<BrowserContext> context = Optional.empty();
    private final List<String> complaints = new ArrayList<>();

    @BeforeAll
    static void openBrowser() {
        Path chromium = Tools.find("chromium");
        Playwright opened = Playwright.create(
                new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        playwright = Optional.of(opened);
        browser = opened.chromium()
                .launch(new BrowserType.LaunchOptions()
                        .setExecutablePath(chromium)
                        .setChromiumSandbox(false)
                        .setArgs(List.of("--disable-dev-shm-usage")));
        PlaywrightAssertions.setDefaultAssertionTimeout(30_000);
    }

    @AfterAll
    static void closeBrowser() {
        playwright.ifPresent(Playwright::close);
    }

    @BeforeEach
    void make() throws Exception {
        fleet = new SmallFleet(directory).withHotDuration(Duration.ofMinutes(10));
    }

    @AfterEach
    void close() throws Exception {
        context.ifPresent(BrowserContext::close);
        running.ifPresent(RunningServer::close);
        fleet.close();
    }

    private RunningServer start(AdminOptions options) throws Exception {
        RunningServer server = new RunningServer(fleet, options);
        running = Optional.of(server);
        return server;
    }

    private Page open(RunningServer server) {
        return open(server, new Browser.NewContextOptions().setViewportSize(1_280, 900));
    }

    /** Opens the page; what the browser complains about from now on is collected. */
    private Page open(RunningServer server, Browser.NewContextOptions options) {
        BrowserContext opened = browser.newContext(options);
        context = Optional.of(opened);
        Page page = opened.newPage();
        page.onConsoleMessage(message -> {
            if (message.type().equals("error") || message.type().equals("warning")) {
                complaints.add(message.text());
            }
        });
        page.onPageError(complaints::add);
        page.navigate(server.uri("/").toString());
        return page;
    }

    private static Locator row(Page page, Path database) {
        return page.locator("#databases tr[data-id='" + RunningServer.id(database) + "']");
    }

    private static Locator button(Page page, Path database, String verb) {
        return row(page, database)
                .getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName(Pattern.compile("^" + verb)));
    }

    @Test
    void aSearchAndATierNarrowTheListAndNothingFoundIsSaid() throws Exception {
        Path alice = fleet.make("acme/databases/crm/branches/main/tenants/alice.db");
        Path bob = fleet.make("acme/databases/crm/branches/main/tenants/bob.db");
        Page page = open(start(RunningServer.ANY_PORT));
        assertThat(row(page, alice)).isVisible();
        assertThat(row(page, bob)).isVisible();
        assertThat(page.locator("#empty")).isHidden();

        page.getByLabel("Search").fill("alice");
        assertThat(row(page, bob)).isHidden();
        assertThat(row(page, alice)).isVisible();

        page.getByLabel("Search").fill("nobody");
        assertThat(page.locator("#empty")).isVisible();
        assertThat(page.locator("#databases")).isHidden();

        page.getByLabel("Search").fill("");
        page.getByLabel("Tier").selectOption("failed");
        assertThat(page.locator("#empty")).isVisible();
        page.getByLabel("Tier").selectOption("");
        assertThat(row(page, bob)).isVisible();
        assertEquals(List.of(), complaints);
    }

    @Test
    void anEmptyFleetIsShownAsOne() throws Exception {
        Page page = open(start(RunningServer.ANY_PORT));
        assertThat(page.locator("#empty")).isVisible();
        assertThat(page.locator("#no-hot")).isVisible();
        assertThat(page.locator("#no-moves")).isVisible();
        assertThat(page.locator("#no-errors")).isVisible();
        assertThat(page.locator("#tiers li[data-tier='hot'] strong")).hasText("0");
        assertThat(page.locator("#state")).hasText("version 1.2.3");
        assertEquals(List.of(), complaints);
    }

    @Test
    void anOrderByKeyboardAndTheMoveItCausesArriveWithoutALoad() throws Exception {
        Path database = fleet.make("p/x.db");
        RunningServer server = start(RunningServer.ANY_PORT);
        Page page = open(server);
        assertThat(row(page, database).locator(".tier")).hasText("hot");
        assertThat(page.locator("#hot")).containsText("x.db");
        page.evaluate("window.neverLoadedAgain = true");

        page.getByLabel("Order").focus();
        for (int i = 0; i < 20 && !isFocused(button(page, database, "demote")); i++) {
            page.keyboard().press("Tab");
        }
        assertThat(button(page, database, "demote")).isFocused();
        page.keyboard().press("Enter");
        assertThat(row(page, database).locator(".tier")).hasText("cold");
        assertThat(page.locator("#tiers li[data-tier='cold_clean'] strong")).hasText("1");
        assertThat(page.locator("#moves li").first()).containsText("cold");

        button(page, database, "promote").click();
        assertThat(row(page, database).locator(".tier")).hasText("hot");
        button(page, database, "sync").click();
        button(page, database, "pause").click();
        assertThat(row(page, database)).containsText("paused");
        assertEquals(true, page.evaluate("window.neverLoadedAgain === true"));
        assertEquals(List.of(), complaints);
    }

    @Test
    void aListThatIsReplacedDoesNotTakeTheFocus() throws Exception {
        Path database = fleet.make("p/x.db");
        Page page = open(start(RunningServer.ANY_PORT));
        assertThat(row(page, database)).isVisible();
        button(page, database, "pause").focus();
        ElementHandle before = row(page, database).elementHandle();
        page.getByLabel("Order").dispatchEvent("change");
        page.waitForCondition(() -> Boolean.FALSE.equals(before.evaluate("it => it.isConnected")));
        assertThat(button(page, database, "pause")).isFocused();
    }

    private static boolean isFocused(Locator button) {
        return button.count() == 1 && Boolean.TRUE.equals(button.evaluate("it => it === document.activeElement"));
    }

    @Test
    void aDatabaseThatAppearsAndAMoveBySomebodyElseArriveByThemselves() throws Exception {
        RunningServer server = start(RunningServer.ANY_PORT);
        Page page = open(server);
        assertThat(page.locator("#empty")).isVisible();
        Path database = fleet.make("p/x.db");
        assertThat(row(page, database).locator(".tier")).hasText("cold");
        fleet.app().open("x", database).exec("x", "insert into t values (1)");
        assertThat(row(page, database).locator(".tier")).hasText("hot");
        assertEquals(
                200,
                server.post("/dbs/" + RunningServer.id(database) + "/demote").statusCode());
        assertThat(row(page, database).locator(".tier")).hasText("cold");
        fleet.app().close("x");
    }

    @Test
    void errorsAreListedAlsoThoseFromBeforeThePageWasOpened() throws Exception {
        Files.createFile(Files.createDirectories(fleet.replicas()).resolve("p"));
        Path database = fleet.make("p/x.db");
        RunningServer server = start(RunningServer.ANY_PORT);
        Page page = open(server);
        assertThat(page.locator("#errors li").first()).containsText(database.toString());
        assertThat(page.locator("#no-errors")).isHidden();
        page.reload();
        assertThat(page.locator("#errors li").first()).containsText(database.toString());
    }

    @Test
    void onlyOrdersThatTheServerTakesHaveAButton() throws Exception {
        Path database = fleet.make("p/x.db");
        RunningServer server = start(RunningServer.ANY_PORT);
        boolean taken = server.get("/openapi.json").body().contains("\"/dbs/{id}/snapshot\"");
        Page page = open(server);
        assertThat(button(page, database, "sync")).isVisible();
        assertThat(button(page, database, "snapshot")).hasCount(taken ? 1 : 0);
    }

    @Test
    void theTokenIsAskedForUntilItIsTheRightOne() throws Exception {
        Path database = fleet.make("p/x.db");
        AdminOptions options =
                new AdminOptions("127.0.0.1", 0, Optional.of("open-sesame"), false, Optional.empty(), List.of());
        Page page = open(start(options));
        Locator dialog = page.getByRole(AriaRole.DIALOG);
        assertThat(dialog).containsText("asks for a token");
        page.getByLabel("Token (kept").fill("wrong");
        page.keyboard().press("Enter");
        assertThat(dialog).containsText("not the right one");
        page.getByLabel("Token (kept").fill("open-sesame");
        page.keyboard().press("Enter");
        assertThat(row(page, database)).isVisible();
        assertThat(dialog).isHidden();
        assertThat(page.locator("#state")).hasText("version 1.2.3");
    }

    @Test
    void aLateAnswerToTheWrongTokenDoesNotAskAgain() throws Exception {
        Path database = fleet.make("p/x.db");
        AdminOptions options =
                new AdminOptions("127.0.0.1", 0, Optional.of("open-sesame"), false, Optional.empty(), List.of());
        Page page = open(start(options));
        AtomicReference<Route> held = new AtomicReference<>();
        page.route("**/gates", route -> {
            boolean wrong = "Bearer wrong".equals(route.request().headerValue("Authorization"));
            if (!wrong || !held.compareAndSet(null, route)) {
                route.resume();
            }
        });
        Locator dialog = page.getByRole(AriaRole.DIALOG);
        page.getByLabel("Token (kept").fill("wrong");
        page.keyboard().press("Enter");
        assertThat(dialog).containsText("not the right one");
        page.waitForCondition(() -> held.get() != null);
        page.getByLabel("Token (kept").fill("open-sesame");
        page.keyboard().press("Enter");
        assertThat(row(page, database)).isVisible();
        page.waitForResponse(answer -> answer.status() == 401, () -> held.get().resume());
        page.waitForResponse(answer -> answer.status() == 200 && answer.url().endsWith("/gates"), () -> {});
        assertThat(dialog).isHidden();
    }

    @Test
    void aServerThatIsGoneIsSaidAndWhenItIsBackThePageGoesOn() throws Exception {
        Path database = fleet.make("p/x.db");
        RunningServer server = start(RunningServer.ANY_PORT);
        Page page = open(server);
        assertThat(row(page, database)).isVisible();
        server.close();
        running = Optional.empty();
        Locator state = page.locator("#state");
        assertThat(state).hasText("the server does not answer");
        assertThat(state).hasClass(Pattern.compile("bad"));
        page.getByLabel("Tier").selectOption("cold");
        assertThat(page.getByRole(AriaRole.ALERT)).hasText("the server does not answer");

        running = Optional.of(server.again());
        assertThat(state).hasText("version 1.2.3");
        assertThat(page.getByRole(AriaRole.ALERT)).isHidden(new LocatorAssertions.IsHiddenOptions().setTimeout(30_000));
    }

    @ParameterizedTest
    @CsvSource({"1280, LIGHT", "1280, DARK", "800, LIGHT", "390, LIGHT", "390, DARK", "320, LIGHT"})
    void nothingIsWiderThanTheScreenAndTextStandsOut(int width, ColorScheme scheme) throws Exception {
        Path database =
                fleet.make("acme/databases/a-rather-long-name/branches/main/tenants/" + "x".repeat(120) + ".db");
        Page page = open(
                start(RunningServer.ANY_PORT),
                new Browser.NewContextOptions().setViewportSize(width, 800).setColorScheme(scheme));
        assertThat(row(page, database).locator(".tier")).hasText("hot");
        assertThat(page.locator("#moves li").first()).isVisible();
        int wide = ((Number) page.evaluate("document.documentElement.scrollWidth")).intValue();
        assertTrue(wide <= width, wide + " > " + width);
        double contrast = ((Number) page.evaluate(CONTRAST)).doubleValue();
        assertTrue(contrast >= 4.5, "contrast " + contrast);
        assertEquals(List.of(), complaints);
    }

    /** The least contrast ratio (WCAG 2.1, 1.4.3) of the page's soft text and tier names with a card. */
    private static final String CONTRAST = """
            () => {
              const light = color => {
                const [r, g, b] = color.match(/[0-9.]+/g).map(Number).map(v => v / 255)
                    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
              };
              const card = light(getComputedStyle(document.querySelector('section[aria-labelledby=list-title]')).backgroundColor);
              return Math.min(...[...document.querySelectorAll('td, td small, th, .tier, h2, label, time')].map(it => {
                const ink = light(getComputedStyle(it).color);
                return (Math.max(ink, card) + 0.05) / (Math.min(ink, card) + 0.05);
              }));
            }""";
}
