//! A timer that ticks with microsecond accuracy. tokio's own timers are accurate to a
//! millisecond, which is the whole interval of a fast probe; and being woken by another
//! thread that sleeps costs as much as a request.

#[cfg(target_os = "linux")]
pub(super) use linux::Timer;
#[cfg(not(target_os = "linux"))]
pub(super) use other::Timer;

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// `timerfd_create(2)`
    #[derive(Debug)]
    pub struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        /// # Errors
        /// No file descriptor is left.
        pub fn every(pace: Duration) -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            let pace = Timespec::try_from(pace).map_err(io::Error::other)?;
            let times = Itimerspec {
                it_interval: pace,
                it_value: pace,
            };
            timerfd_settime(&timer, TimerfdTimerFlags::empty(), &times)?;
            #[expect(
                deprecated,
                reason = "it is unsound for what does not own its descriptor; OwnedFd does, and \
                          what takes its place is unsafe for everything"
            )]
            let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
            Ok(Self(timer))
        }

        /// Returns at once if a tick has passed since the last call.
        pub async fn tick(&mut self) {
            let mut count = [0; 8];
            let read = |timer: &OwnedFd| Ok(rustix::io::read(timer, &mut count)?);
            // The count does not matter: it is time to read the clock.
            let _ = self.0.async_io(Interest::READABLE, read).await;
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::io;
    use std::time::Duration;

    use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

    /// As accurate as tokio's timers.
    #[derive(Debug)]
    pub struct Timer(Interval);

    impl Timer {
        /// # Errors
        /// None; elsewhere there may be.
        pub fn every(pace: Duration) -> io::Result<Self> {
            let mut ticks = interval_at(Instant::now() + pace, pace);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            Ok(Self(ticks))
        }

        pub async fn tick(&mut self) {
            self.0.tick().await;
        }
    }
}
