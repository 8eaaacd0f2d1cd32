# The numbers that tests/evidence holds our pooling to, from R's metafor on public data sets.
#
#   Rscript validation/metafor/reference.R        # from the root of the repository
#
# Needs metafor, metadat, lme4 and jsonlite; on Debian: r-cran-metafor r-cran-metadat r-cran-lme4 r-cran-jsonlite.
# Iterative fits are run far past metafor's usual stopping rule, so that what differs is the method, not the patience.

suppressPackageStartupMessages({library(metafor); library(metadat); library(jsonlite)})
options(warn = -1)  # metafor warns that Knapp-Hartung is not meant for the common effect; we compare it all the same

FIT <- list(threshold = 1e-12, maxiter = 10000, tol = 1e-14)
FOLDER <- file.path("tests", "reference", "evidence")

one <- function(x) if (is.null(x) || length(x) == 0 || is.na(x[1])) NULL else as.numeric(x[1])

fit <- function(data, method, test, ...)
  rma(yi, vi, data = data, method = method, test = test, control = FIT, ...)

described <- function(res) {
  out <- list(estimate = one(res$beta), se = one(res$se), ci_low = one(res$ci.lb), ci_high = one(res$ci.ub),
              p_value = one(res$pval), tau_squared = one(res$tau2), q = one(res$QE), q_p = one(res$QEp),
              i_squared = one(res$I2), h_squared = one(res$H2), weights = as.numeric(weights(res)))
  if (res$method != "EE") {
    profile <- confint(res, control = list(tol = 1e-14, tau2.max = 1e5))$random
    out$tau_squared_low <- one(profile[1, "ci.lb"])
    out$tau_squared_high <- one(profile[1, "ci.ub"])
    predicted <- predict(res)
    out$prediction_low <- one(predicted$pi.lb)
    out$prediction_high <- one(predicted$pi.ub)
  }
  out
}

pooled <- function(data) {
  out <- list()
  for (method in c("EE", "DL", "REML", "PM")) for (test in c("z", "knha"))
    out[[paste(method, test)]] <- described(fit(data, method, test))
  out
}

rows <- function(res) lapply(seq_along(res$estimate), function(i) list(
  estimate = res$estimate[i], se = res$se[i], ci_low = res$ci.lb[i], ci_high = res$ci.ub[i],
  p_value = res$pval[i], q = res$Q[i], tau_squared = res$tau2[i], i_squared = res$I2[i]))

trimmed <- function(data, side, method) {
  res <- fit(data, method, "z")
  filled <- if (is.null(side)) trimfill(res, control = FIT) else trimfill(res, side = side, control = FIT)
  list(side = filled$side, missing = filled$k0, se_missing = filled$se.k0, estimate = one(filled$beta),
       se = one(filled$se), ci_low = one(filled$ci.lb), ci_high = one(filled$ci.ub), tau_squared = filled$tau2)
}

small_studies <- function(data) {
  egger <- regtest(fit(data, "REML", "z"), model = "lm")
  linear <- function(formula) {
    found <- summary(lm(formula, data = data, weights = 1 / vi))$coefficients[1, ]
    list(estimate = found[[1]], se = found[[2]], p_value = found[[4]])
  }
  sides <- list()
  for (method in c("REML", "DL", "EE")) for (side in list(NULL, "left", "right"))
    sides[[paste(method, if (is.null(side)) "chosen" else side)]] <- trimmed(data, side, method)
  list(
    egger = list(t = egger$zval, df = egger$dfs, p_value = egger$pval, limit = one(egger$est),
                 limit_low = one(egger$ci.lb), limit_high = one(egger$ci.ub)),
    trim_and_fill = sides, pet = linear(yi ~ sqrt(vi)), peese = linear(yi ~ vi))
}

# --- data ---------------------------------------------------------------------------------------------------------

plain <- function(data) data.frame(yi = as.numeric(data$yi), vi = as.numeric(data$vi))
of <- function(name) { data(list = name, package = "metadat", envir = environment()); get(name) }

bcg <- escalc("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = of("dat.bcg"))
normand <- escalc("SMD", m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i, n2i = n2i,
                  data = of("dat.normand1999"))
hine <- escalc("RD", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = of("dat.hine1989"))
sets <- list(bcg = plain(bcg), normand1999 = plain(normand), raudenbush1985 = plain(of("dat.raudenbush1985")),
             bangertdrowns2004 = plain(of("dat.bangertdrowns2004")), hackshaw1998 = plain(of("dat.hackshaw1998")),
             hine1989 = plain(hine), bcg_first_three = plain(bcg)[1:3, ], bcg_first_two = plain(bcg)[1:2, ])

out <- list(versions = list(r = as.character(getRversion()), metafor = as.character(packageVersion("metafor")),
                            metadat = as.character(packageVersion("metadat"))))
out$sets <- lapply(sets, function(data)
  list(estimates = data$yi, variances = data$vi, pooled = pooled(data)))
for (name in names(sets)[1:6]) out$sets[[name]]$small_studies <- small_studies(sets[[name]])

# --- leave one out, cumulative, moderators, subgroups: BCG -----------------------------------------------------------

out$leave_one_out <- list(z = rows(leave1out(fit(bcg, "REML", "z"))), knha = rows(leave1out(fit(bcg, "REML", "knha"))))
by_year <- order(bcg$year, seq_len(nrow(bcg)))
out$cumulative <- list(order = by_year - 1, z = rows(cumul(fit(bcg[by_year, ], "REML", "z"))),
                       knha = rows(cumul(fit(bcg[by_year, ], "REML", "knha"))))

regressed <- function(formula, method, test) {
  res <- rma(yi, vi, mods = formula, data = bcg, method = method, test = test, control = FIT)
  list(coefficients = as.numeric(res$beta), se = res$se, ci_low = res$ci.lb, ci_high = res$ci.ub, p_value = res$pval,
       tau_squared = res$tau2, r_squared = one(res$R2), q = res$QE, q_p = res$QEp, i_squared = one(res$I2))
}
out$meta_regression <- list(latitude = bcg$ablat, year = bcg$year)
for (method in c("DL", "REML")) for (test in c("z", "knha")) {
  out$meta_regression$one[[paste(method, test)]] <- regressed(~ ablat, method, test)
  out$meta_regression$two[[paste(method, test)]] <- regressed(~ ablat + year, method, test)
}

allocations <- split(plain(bcg), bcg$alloc)
each <- lapply(allocations, function(data) fit(data, "REML", "z"))
between <- rma(yi = sapply(each, function(r) r$beta), sei = sapply(each, function(r) r$se), method = "EE")
out$subgroups <- list(groups = bcg$alloc, q = between$QE, p_value = between$QEp,
                      each = lapply(each, described))

# --- proportions, zeros among them --------------------------------------------------------------------------------------

catheters <- of("dat.nielweise2007")
proportion <- function(events, n) {
  res <- rma.glmm(measure = "PLO", xi = events, ni = n, nAGQ = 25)
  found <- predict(res, transf = transf.ilogit)
  list(events = events, n = n, proportion = found$pred, ci_low = found$ci.lb, ci_high = found$ci.ub,
       logit = one(res$beta), se = one(res$se), tau_squared = res$tau2)
}
out$proportions <- list(coated = proportion(catheters$ai, catheters$n1i),
                        plain = proportion(catheters$ci, catheters$n2i),
                        pritz1997 = proportion(of("dat.pritz1997")$xi, of("dat.pritz1997")$ni))
exact <- function(events, n, level) {
  found <- binom.test(events, n, conf.level = level)$conf.int
  list(events = events, n = n, level = level, low = found[1], high = found[2])
}
out$exact <- list(exact(0, 20, 0.95), exact(20, 20, 0.95), exact(1, 30, 0.95), exact(7, 25, 0.9), exact(50, 400, 0.99))

# --- effect sizes ----------------------------------------------------------------------------------------------------

means <- of("dat.normand1999")
tables <- of("dat.bcg")
binary <- function(measure, ai, n1i, ci, n2i, ...) {
  found <- escalc(measure, ai = ai, n1i = n1i, ci = ci, n2i = n2i, ...)
  list(estimate = as.numeric(found$yi), variance = as.numeric(found$vi))
}
counts <- list(events_a = tables$tpos, n_a = tables$tpos + tables$tneg,
               events_b = tables$cpos, n_b = tables$cpos + tables$cneg)
zeros <- list(events_a = c(0, 5, 12, 0), n_a = c(20, 20, 12, 15), events_b = c(4, 0, 7, 15), n_b = c(21, 19, 13, 15))
binaries <- function(x) list(counts = x,
  log_risk_ratio = binary("RR", x$events_a, x$n_a, x$events_b, x$n_b),
  log_odds_ratio = binary("OR", x$events_a, x$n_a, x$events_b, x$n_b),
  risk_difference = binary("RD", x$events_a, x$n_a, x$events_b, x$n_b, to = "none"))
out$effect_sizes <- list(
  smd = c(as.list(means[c("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")]),
          list(estimate = as.numeric(normand$yi), variance = as.numeric(normand$vi))),
  bcg = binaries(counts), zeros = binaries(zeros))

write_json(out, file.path(FOLDER, "metafor.json"), digits = I(17), auto_unbox = TRUE, null = "null", pretty = 1)
